"""A data set, a backbone and a head that featkit has not, one file each."""

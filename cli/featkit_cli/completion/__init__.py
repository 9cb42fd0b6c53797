"""What the shell offers at <TAB>: values of options, quickly, without torch."""

from featkit_cli.completion.bash import words_joined
from featkit_cli.completion.choosing import completed

__all__ = ["completed", "words_joined"]

from PIL import Image

import featkit
from benchmarks.material import drawn_images, links


def test_links_repeat_the_files_in_a_folder_that_featkit_reads(tmp_path):
    sources = drawn_images(tmp_path / "drawn", (60, 45))
    links(sources, len(sources) + 4, tmp_path / "many")
    dataset = featkit.load_dataset(f"folder:{tmp_path / 'many'}")
    assert len(dataset) == len(set(dataset.image_id)) == len(sources) + 4
    paths = sorted((tmp_path / "many").rglob("*.jpg"))
    assert paths[-1].resolve() == sources[3]
    assert Image.open(paths[0]).size == (60, 45)
    assert drawn_images(tmp_path / "drawn", (60, 45)) == sources

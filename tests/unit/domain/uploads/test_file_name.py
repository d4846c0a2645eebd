"""Names of files: Japanese stays, what does harm goes, and the extension is the content's."""

import pytest

from portal_app.domain.uploads.file_name import clean_name, named_by_content


@pytest.mark.parametrize(
    ("name", "extension", "expected"),
    [
        ("再発行のお願い（至急）.pdf", "pdf", "再発行のお願い（至急）.pdf"),
        ("か\u3099.txt", "txt", "が.txt"),
        ("../../etc/pass\r\nwd\u202e.txt", "txt", "passwd.txt"),
        ("C:\\x\\表.csv", "txt", "表.csv"),
        ("gpj.exe", "jpg", "gpj.jpg"),
        ("IMG_1.JPEG", "jpg", "IMG_1.jpeg"),
        ("見積.zip", "docx", "見積.docx"),
        ("v1.2 notes", "txt", "v1.2 notes.txt"),
        ("長" * 300 + ".jpg", "jpg", "長" * 116 + ".jpg"),
        ('a\0b\ud800<>:"|?*.txt', "txt", "ab.txt"),
        (".htaccess", "txt", "htaccess.txt"),
        ("", "txt", "file.txt"),
        ("..", "pdf", "file.pdf"),
    ],
)
def test_a_name_is_harmless_and_ends_as_the_content_says(name: str, extension: str, expected: str) -> None:
    assert named_by_content(clean_name(name), extension) == expected

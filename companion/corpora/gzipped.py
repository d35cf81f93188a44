"""Files that may be gzipped or not."""

import gzip
import zlib

_MAGIC = b"\x1f\x8b"


def unzip(data: bytes) -> bytes:
    """Unpack the bytes of a file if they are gzipped; others are returned as they are.

    Raises:
        ValueError: If they begin as gzip does and cannot be unpacked.
    """
    if not data.startswith(_MAGIC):
        return data
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"the gzipped data is damaged ({error})") from error

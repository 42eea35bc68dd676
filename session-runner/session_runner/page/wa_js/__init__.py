"""wa-js 4.6.0 (npm package @wppconnect/wa-js, Apache-2.0), vendored unmodified; its licence and notices lie beside it.

`page.scripts` reads it; a test holds the file against its checksum.
"""

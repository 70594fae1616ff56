//! Byte-compatible cryptography: Flask cookies, encrypted columns, password hashes, JWT.

//! Session, JWT, guest token, CSRF: who asks, and may they.

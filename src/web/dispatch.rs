//! A request's way: rule → session → caller → CSRF → access → handler → headers.

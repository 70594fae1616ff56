//! Request loading with the original field errors; response views.

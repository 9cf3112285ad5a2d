"""Market rules and trading rules as pure functions: frames in, frames out."""

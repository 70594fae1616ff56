//! The `liteset` binary.

/// Gives back what a burst of large results took, and keeps little for threads that have gone (figures in Cargo.toml).
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> std::process::ExitCode {
    liteset::cli::main()
}

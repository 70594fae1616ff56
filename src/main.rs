//! The `liteset` binary.

/// glibc keeps what a burst of large results took.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    liteset::cli::main()
}

//! The `liteset` binary.

fn main() -> std::process::ExitCode {
    liteset::cli::main()
}

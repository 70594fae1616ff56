# Homebrew formula: builds from the release's source archive; fill in url and sha256 when a release is tagged.
class Liteset < Formula
  desc "Apache Superset's backend as one binary"
  homepage "https://github.com/liteset/liteset"
  license "Apache-2.0"
  head "https://github.com/liteset/liteset.git", branch: "main"

  depends_on "python@3.12" => :build
  depends_on "rust" => :build

  def install
    system "cargo", "install", *std_cargo_args
  end

  service do
    run [opt_bin/"liteset", "run", "--home", var/"liteset"]
    keep_alive true
    log_path var/"log/liteset.log"
    error_log_path var/"log/liteset.log"
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/liteset --version")
  end
end

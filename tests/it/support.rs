//! Calls the command in this process, and compares with golden files.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// What the command printed, and how it ended.
pub(crate) struct Ran {
    /// Standard output.
    pub(crate) out: String,
    /// Standard error.
    pub(crate) err: String,
    /// Exit code.
    pub(crate) code: i32,
}

impl Ran {
    /// Standard output as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out)
            .unwrap_or_else(|error| panic!("{error}\nout: {}\nerr: {}", self.out, self.err))
    }

    /// The last line of standard output.
    pub(crate) fn last_line(&self) -> &str {
        self.out.lines().last().unwrap_or("")
    }

    /// Asserts how it ended, with all that it said.
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "out: {}\nerr: {}", self.out, self.err);
        self
    }
}

/// Runs `assize` with these arguments.
pub(crate) fn assize(args: &[&str]) -> Ran {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let code = assize::run(std::iter::once(&"assize").chain(args), &mut out, &mut err);
    let text = |bytes| String::from_utf8(bytes).expect("output is text");
    Ran {
        out: text(out),
        err: text(err),
        code,
    }
}

/// The program, built if it is not there or not up to date: for tests of what only a process of
/// its own shows.
pub(crate) fn binary() -> &'static Path {
    static BINARY: std::sync::OnceLock<PathBuf> = std::sync::OnceLock::new();
    BINARY.get_or_init(|| {
        let here = std::env::current_exe().expect("a path");
        let folder = here
            .parent()
            .and_then(Path::parent)
            .expect("the profile's folder");
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut build = std::process::Command::new(cargo);
        build.args(["build", "--quiet", "--package", "assize"]);
        if folder.ends_with("release") {
            build.arg("--release");
        }
        let status = build.current_dir(path("..")).status().expect("cargo");
        assert!(status.success(), "the program does not build");
        folder.join("assize")
    })
}

/// A path in the folder of the tests.
pub(crate) fn path(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(name)
        .display()
        .to_string()
}

/// A folder that is removed when the test is over.
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// A new one; the name is the test's own.
    pub(crate) fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("assize-it-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).expect("a folder");
        Self(folder)
    }

    /// A path in it.
    pub(crate) fn path(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }

    /// Writes a file and gives its path.
    pub(crate) fn write(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(&path, text).expect("a file");
        path.display().to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Compares with a file under `tests/`; `UPDATE_GOLDEN=1` writes it instead.
pub(crate) fn golden(name: &str, got: &str) {
    let file = path(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some_and(|v| v == "1") {
        std::fs::write(&file, got).expect("the golden file");
        return;
    }
    let expected = std::fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(
        got, expected,
        "{name} differs; UPDATE_GOLDEN=1 writes it anew"
    );
}

/// A port of this machine that nothing listens on, and that the system gives to nobody who asks
/// for any: tests run side by side.
pub(crate) fn free_port() -> SocketAddr {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        let count = NEXT.fetch_add(1, Ordering::Relaxed);
        // Several runs at once begin in different places below the ephemeral ports.
        let place = (std::process::id().wrapping_mul(97) + count) % 20_000;
        let port = u16::try_from(10_000 + place).expect("below 30,000");
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
}

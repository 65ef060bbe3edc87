//! `cargo xtask clients`: clients of Toxiproxy as their users install them, every call that they
//! offer, against the built `assize`: as `assize proxy`, and as `toxiproxy-server` by its own
//! flags on 0.0.0.0 in a network of the test's own. And a library of others that reads its
//! evidence packs.
//!
//! What they ask is in `tests/clients`. Here they are installed (under `target/clients`, from
//! PyPI and npm) and given a server.

use crate::{say, shell};
use anyhow::{Context, Result, bail, ensure};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// What this machine needs before anything can be installed, and how to get it.
const NEEDS: &[(&str, &str)] = &[
    (
        "python3",
        "python3 with venv: `apt-get install python3-venv`",
    ),
    ("node", "node 18 or later: `apt-get install nodejs`"),
    ("npm", "npm: `apt-get install npm`"),
];

/// Why the clients cannot be run on this machine; none if they can.
pub(crate) fn missing() -> Option<String> {
    let lacks = |program: &str| shell::output(Command::new(program).arg("--version")).is_err();
    let mut needs = NEEDS.iter().filter(|(program, _)| lacks(program));
    needs.next().map(|(_, how)| format!("it needs {how}"))
}

/// Installs the clients, and runs them against both ways to start the server.
pub(crate) fn run() -> Result<()> {
    if let Some(why) = missing() {
        bail!(why);
    }
    install()?;
    shell::run(&mut shell::cargo(&[
        "build",
        "--quiet",
        "--release",
        "--package",
        "assize",
    ]))?;
    evidence()?;
    against("assize", &["proxy", "--port", "0"])?;
    let mut own = Command::new("unshare");
    own.args(["--user", "--map-root-user", "--net", "--"]);
    if !shell::output(own.arg("true")).is_ok_and(|output| output.status.success()) {
        say::line(
            "    on 0.0.0.0: skipped, this user may not make a network (`unshare --user --net`)",
        );
        return Ok(());
    }
    let here = std::env::current_exe().context("where is this program?")?;
    let mut again = Command::new("unshare");
    again.args(["--user", "--map-root-user", "--net", "--"]);
    shell::run(
        again
            .arg(here)
            .args(["clients", "inside"])
            .current_dir(shell::root()),
    )
}

/// The second run, in a network that has nothing in it yet.
pub(crate) fn inside() -> Result<()> {
    shell::run(Command::new("ip").args(["link", "set", "lo", "up"]))?;
    let flags = [
        "-host=0.0.0.0",
        "-port=8474",
        "-seed=1",
        "-proxy-metrics",
        "-runtime-metrics",
    ];
    against("toxiproxy-server", &flags)
}

fn folder() -> PathBuf {
    shell::root().join("target/clients")
}

fn scripts() -> PathBuf {
    shell::root().join("tests/clients")
}

fn python() -> PathBuf {
    folder().join("venv/bin/python")
}

/// Installs what is not there, or not as it is asked for now.
fn install() -> Result<()> {
    let folder = folder();
    std::fs::create_dir_all(&folder)?;
    for (list, install) in [
        (
            "requirements.txt",
            install_python as fn(&Path) -> Result<()>,
        ),
        ("package.json", install_node),
    ] {
        let wanted = std::fs::read_to_string(scripts().join(list))?;
        let stamp = folder.join(list).with_extension("installed");
        if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
            continue;
        }
        install(&scripts().join(list)).with_context(|| {
            format!("{list} could not be installed: is the package registry within reach?")
        })?;
        std::fs::write(stamp, wanted)?;
    }
    Ok(())
}

fn install_python(list: &Path) -> Result<()> {
    let venv = folder().join("venv");
    shell::run(Command::new("python3").args(["-m", "venv"]).arg(venv))?;
    let mut pip = Command::new(python());
    pip.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "-r",
    ]);
    shell::run(pip.arg(list))
}

fn install_node(list: &Path) -> Result<()> {
    std::fs::copy(list, folder().join("package.json"))?;
    let mut npm = Command::new("npm");
    npm.args(["install", "--silent", "--no-audit", "--no-fund"]);
    shell::run(npm.current_dir(folder()))
}

/// Has an evidence pack of January 2019 read by an implementation of DSSE that is not ours.
fn evidence() -> Result<()> {
    let packs = folder().join("evidence");
    // What an earlier run has left: keys and packs are never written over.
    let _ = std::fs::remove_dir_all(&packs);
    std::fs::create_dir_all(&packs)?;
    let mut script = Command::new(python());
    script
        .arg("-B")
        .arg(scripts().join("evidence_client.py"))
        .arg(shell::root().join("target/release/assize"))
        .arg(packs)
        .arg("topologies/moj/scenarios/january-2019.yaml")
        .current_dir(shell::root());
    shell::run(&mut script)
}

/// Runs all clients against the program under a name, started by these arguments.
fn against(name: &str, args: &[&str]) -> Result<()> {
    let program = shell::root().join("target/release/assize");
    let called = folder().join(name);
    let _ = std::fs::remove_file(&called);
    std::os::unix::fs::symlink(&program, &called)?;
    let mut server = Server::start(&called, args)?;
    let (host, port) = ("127.0.0.1", server.port.clone());
    say::line(&format!("    against `{name} {}`", args.join(" ")));
    let script = |name: &str| {
        let mut command = Command::new(python());
        command
            .arg("-B")
            .arg(scripts().join(name))
            .args([host, &port]);
        command
    };
    shell::run(&mut script("python_client.py"))?;
    shell::run(script("chaos_client.py").arg(folder().join("chaos")))?;
    let mut node = Command::new("node");
    node.arg(scripts().join("node_client.cjs"));
    shell::run(node.arg(format!("http://{host}:{port}")).arg(folder()))?;
    server.end()
}

/// A server in a process of its own, which is ended in any case.
struct Server {
    child: Child,
    port: String,
}

impl Server {
    /// Starts it, and waits until it listens.
    fn start(program: &Path, args: &[&str]) -> Result<Self> {
        let mut child = Command::new(program)
            .args(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let mut line = String::new();
        if let Some(out) = child.stdout.take() {
            BufReader::new(out).read_line(&mut line)?;
        }
        let port = line
            .trim()
            .rsplit(':')
            .next()
            .unwrap_or_default()
            .to_owned();
        let server = Self { child, port };
        ensure!(
            server.port.parse::<u16>().is_ok(),
            "it does not listen: {line}"
        );
        Ok(server)
    }

    /// Ends it as an operator would, and sees that it ends well.
    fn end(&mut self) -> Result<()> {
        let id = self.child.id().to_string();
        shell::run(Command::new("kill").args(["-s", "TERM", &id]))?;
        for _ in 0..200 {
            if let Some(status) = self.child.try_wait()? {
                ensure!(status.success(), "the server ended with {status}");
                return Ok(());
            }
            pause();
        }
        bail!("the server does not end on SIGTERM")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already, and that is well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a process is waited for that tells nobody"
)]
fn pause() {
    std::thread::sleep(Duration::from_millis(50));
}

//! Those that are compared, each a process of its own with a proxy for each kind of upstream.
//!
//! Nothing is measured here. A peer that is not installed is left out with the command that
//! installs it.

use super::clock::pause;
use super::upstream::Upstreams;
use anyhow::{Context, Result, bail};
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Which upstream a connection is to reach.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum To {
    Echo,
    Sink,
}

/// Both, in the order in which a peer's proxies are made.
const ALL: [To; 2] = [To::Echo, To::Sink];

/// One way to the upstreams.
pub(super) struct Peer {
    pub(super) name: &'static str,
    /// Where its proxies listen, in the order of [`ALL`].
    addresses: Vec<SocketAddr>,
    process: Option<Process>,
    /// Where its API is, if it has one.
    api: Option<SocketAddr>,
}

/// A process that is ended when it is no longer needed.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // Asked first: one that is killed leaves its own workers behind. It may have ended by
        // itself; none of these calls then does anything.
        let asked = rustix::process::Pid::from_child(&self.0);
        let _ = rustix::process::kill_process(asked, rustix::process::Signal::TERM);
        for _ in 0..100 {
            if !matches!(self.0.try_wait(), Ok(None)) {
                return;
            }
            pause(Duration::from_millis(20));
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Peer {
    /// No proxy at all: the limit.
    pub(super) fn direct(upstreams: &Upstreams) -> Self {
        Self {
            name: "direct",
            addresses: ALL.map(|to| upstreams.address(to)).to_vec(),
            process: None,
            api: None,
        }
    }

    /// Something with the API of Toxiproxy, with a proxy for each upstream.
    pub(super) fn with_api(
        name: &'static str,
        program: &Path,
        arguments: &[&str],
        upstreams: &Upstreams,
    ) -> Result<Self> {
        let port = free_port()?;
        let mut command = Command::new(program);
        command.args(arguments).args(["--port", &port.to_string()]);
        let mut peer = Self {
            name,
            addresses: Vec::new(),
            process: Some(start(&mut command)?),
            api: Some(SocketAddr::from(([127, 0, 0, 1], port))),
        };
        await_port(port).with_context(|| format!("{name} does not answer"))?;
        for (index, to) in ALL.into_iter().enumerate() {
            let listen = SocketAddr::from(([127, 0, 0, 1], free_port()?));
            let upstream = upstreams.address(to);
            peer.call(
                "POST",
                "/proxies",
                &format!(r#"{{"name":"p{index}","listen":"{listen}","upstream":"{upstream}"}}"#),
            )?;
            peer.addresses.push(listen);
        }
        Ok(peer)
    }

    /// HAProxy in TCP mode; `None` if it is not installed.
    pub(super) fn haproxy(
        splice: bool,
        upstreams: &Upstreams,
        folder: &Path,
    ) -> Result<Option<Self>> {
        let Some(program) = find("haproxy") else {
            return Ok(None);
        };
        let (name, option) = if splice {
            (
                "HAProxy splice",
                "  option splice-request\n  option splice-response\n",
            )
        } else {
            ("HAProxy", "")
        };
        let mut text = format!(
            "global\n  maxconn 4000\n  nbthread {}\ndefaults\n  mode tcp\n{option}  timeout connect 5s\n  \
             timeout client 1h\n  timeout server 1h\n",
            cores()
        );
        let mut addresses = Vec::new();
        for (index, to) in ALL.into_iter().enumerate() {
            let listen = SocketAddr::from(([127, 0, 0, 1], free_port()?));
            let upstream = upstreams.address(to);
            text += &format!("listen l{index}\n  bind {listen}\n  server s {upstream}\n");
            addresses.push(listen);
        }
        let file = folder.join(format!("haproxy-{splice}.cfg"));
        fs::write(&file, text)?;
        let process = start(Command::new(program).arg("-f").arg(&file))?;
        Self::awaited(name, addresses, process).map(Some)
    }

    /// nginx with its stream module; `None` if it is not installed.
    pub(super) fn nginx(upstreams: &Upstreams, folder: &Path) -> Result<Option<Self>> {
        const MODULE: &str = "/usr/lib/nginx/modules/ngx_stream_module.so";
        let Some(program) = find("nginx").filter(|_| Path::new(MODULE).exists()) else {
            return Ok(None);
        };
        let place = folder.display();
        let mut text = format!(
            "load_module {MODULE};\ndaemon off;\nworker_processes {};\npid {place}/nginx.pid;\n\
             error_log stderr crit;\nevents {{ worker_connections 8000; }}\nstream {{\n",
            cores()
        );
        let mut addresses = Vec::new();
        for to in ALL {
            let listen = SocketAddr::from(([127, 0, 0, 1], free_port()?));
            let upstream = upstreams.address(to);
            text += &format!("  server {{ listen {listen}; proxy_pass {upstream}; }}\n");
            addresses.push(listen);
        }
        text += "}\n";
        let file = folder.join("nginx.conf");
        fs::write(&file, text)?;
        let process = start(Command::new(program).arg("-c").arg(&file))?;
        Self::awaited("nginx", addresses, process).map(Some)
    }

    fn awaited(name: &'static str, addresses: Vec<SocketAddr>, process: Process) -> Result<Self> {
        for address in &addresses {
            await_port(address.port()).with_context(|| format!("{name} does not listen"))?;
        }
        Ok(Self {
            name,
            addresses,
            process: Some(process),
            api: None,
        })
    }

    /// Where to connect.
    pub(super) fn address(&self, to: To) -> SocketAddr {
        let place = ALL.iter().position(|one| *one == to).unwrap_or(0);
        self.addresses[place]
    }

    /// Whether faults can be injected.
    pub(super) const fn has_api(&self) -> bool {
        self.api.is_some()
    }

    /// Attaches a fault to the proxy of an upstream, and detaches it when it is dropped.
    pub(super) fn attach(&self, to: To, toxic: &str) -> Result<Attached<'_>> {
        let proxy = ALL.iter().position(|one| *one == to).unwrap_or(0);
        self.call(
            "POST",
            &format!("/proxies/p{proxy}/toxics"),
            &format!("{{\"name\":\"t\",{toxic}}}"),
        )?;
        Ok(Attached { peer: self, proxy })
    }

    /// Switches the proxy of an upstream on or off.
    pub(super) fn enable(&self, to: To, on: bool) -> Result<()> {
        let proxy = ALL.iter().position(|one| *one == to).unwrap_or(0);
        self.call(
            "POST",
            &format!("/proxies/p{proxy}"),
            &format!("{{\"enabled\":{on}}}"),
        )
    }

    /// Seconds of processor time that it and its children have used.
    pub(super) fn cpu(&self) -> f64 {
        self.pids().iter().map(|pid| cpu_of(*pid)).sum()
    }

    /// Memory in KiB, shared pages by their part.
    pub(super) fn memory(&self) -> f64 {
        let pids = self.pids();
        let rollups = pids
            .iter()
            .filter_map(|pid| fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok());
        rollups.map(|text| field(&text, "Pss:")).sum()
    }

    fn pids(&self) -> Vec<u32> {
        let Some(Process(child)) = &self.process else {
            return Vec::new();
        };
        let pid = child.id();
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
        let children = children.unwrap_or_default();
        let children = children
            .split_whitespace()
            .filter_map(|pid| pid.parse().ok());
        std::iter::once(pid).chain(children).collect()
    }

    fn call(&self, method: &str, path: &str, body: &str) -> Result<()> {
        let api = self.api.context("it has no API")?;
        let mut stream = TcpStream::connect(api)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: {api}\r\nConnection: close\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        if answer.starts_with("HTTP/1.1 2") {
            return Ok(());
        }
        bail!(
            "{} answered {method} {path} {body} with {answer}",
            self.name
        )
    }
}

/// A fault that is attached.
pub(super) struct Attached<'a> {
    peer: &'a Peer,
    proxy: usize,
}

impl Drop for Attached<'_> {
    fn drop(&mut self) {
        let path = format!("/proxies/p{}/toxics/t", self.proxy);
        if let Err(error) = self.peer.call("DELETE", &path, "") {
            crate::say::progress(&format!("  the fault stays: {error:#}"));
        }
    }
}

/// As many threads as a proxy may use.
fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, Into::into)
}

fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let folders = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    folders
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}

fn start(command: &mut Command) -> Result<Process> {
    let program = command.get_program().to_owned();
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let child = command.spawn();
    let child = child.with_context(|| format!("cannot start {}", program.display()))?;
    Ok(Process(child))
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

fn await_port(port: u16) -> Result<()> {
    for _ in 0..200 {
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return Ok(());
        }
        pause(Duration::from_millis(20));
    }
    bail!("nobody listens on port {port}")
}

/// User and system time of a process, from `/proc/PID/stat`, whose ticks are 10 ms.
fn cpu_of(pid: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name in parentheses may hold anything; after it fields count from the third.
    let after = stat.rsplit_once(')').map_or("", |(_, after)| after);
    let ticks = after.split_whitespace().skip(11).take(2);
    ticks
        .filter_map(|ticks| ticks.parse::<f64>().ok())
        .sum::<f64>()
        / 100.0
}

fn field(text: &str, name: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.and_then(|number| number.parse().ok()).unwrap_or(0.0)
}

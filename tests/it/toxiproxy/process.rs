//! The program as it is started: its command lines, its configuration, its end.

use super::server::{LIMIT, connect, echo, round_trip};
use crate::support::free_port;
use crate::support::{Folder, assize, binary};
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A server in a process of its own, which ends with the test.
struct Running {
    child: Child,
    url: String,
}

impl Running {
    /// Starts it under a name, and waits until it listens.
    fn start(name: &str, folder: &Folder, args: &[&str]) -> Self {
        let program = called(name, folder);
        let mut child = Command::new(program)
            .args(args)
            .env_remove("ASSIZE_TOKEN")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("a process");
        let mut line = String::new();
        let out = child.stdout.take().expect("its output");
        BufReader::new(out).read_line(&mut line).expect("a line");
        let url = line.trim().strip_prefix("listening on ").map(str::to_owned);
        let Some(url) = url else {
            let _ = child.kill();
            panic!("it does not listen: {line}");
        };
        Self { child, url }
    }

    /// Ends it by a signal, and gives the exit code and what it said.
    fn end(mut self, signal: &str) -> (Option<i32>, String) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", signal, &id]).status();
        assert!(sent.is_ok_and(|status| status.success()));
        let code = wait(&mut self.child);
        let mut said = String::new();
        let mut errors = self.child.stderr.take().expect("its errors");
        errors.read_to_string(&mut said).expect("text");
        (code, said)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[expect(clippy::disallowed_methods, reason = "waiting has a limit")]
fn wait(child: &mut Child) -> Option<i32> {
    let begun = Instant::now();
    while begun.elapsed() < LIMIT {
        if let Ok(Some(status)) = child.try_wait() {
            return status.code();
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("it does not end");
}

/// The program under another name.
fn called(name: &str, folder: &Folder) -> String {
    let path = folder.path(name);
    if !std::path::Path::new(&path).exists() {
        std::os::unix::fs::symlink(binary(), &path).expect("a link");
    }
    path
}

/// Runs a program that ends by itself.
fn run(name: &str, folder: &Folder, args: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(called(name, folder))
        .args(args)
        .output()
        .expect("a process");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (
        output.status.code(),
        text(output.stdout),
        text(output.stderr),
    )
}

#[test]
fn the_original_is_started_by_its_flags_and_ends_by_its_signals() {
    let folder = Folder::new("toxiproxy-start");
    let (upstream, listen) = (echo(), free_port());
    let config = folder.write(
        "config.json",
        &format!(r#"[{{"name":"redis","listen":"{listen}","upstream":"{upstream}"}}]"#),
    );
    for (name, signal, config) in [
        ("toxiproxy-server", "INT", format!("-config={config}")),
        ("toxiproxy", "TERM", format!("--config={config}")),
    ] {
        let server = Running::start(
            name,
            &folder,
            &[
                "-host=127.0.0.1",
                "-port=0",
                &config,
                "-seed",
                "-5",
                "-proxy-metrics",
                "-runtime-metrics=true",
            ],
        );
        round_trip(&mut connect(listen), b"x").expect("an echo");
        let ctl = assize(&["ctl", "--url", &server.url, "list"]).expect(0);
        assert!(ctl.out.contains("redis"), "{}", ctl.out);
        let (code, said) = server.end(signal);
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains("1 proxies from"), "{said}");
    }
}

#[test]
fn versions_are_printed_as_the_original_prints_them() {
    let folder = Folder::new("toxiproxy-version");
    let server = run("toxiproxy-server", &folder, &["-version"]);
    assert_eq!(
        server,
        (
            Some(0),
            "toxiproxy-server version 2.12.0\n".into(),
            String::new()
        )
    );
    let client = run("toxiproxy-cli", &folder, &["--version"]);
    assert_eq!(
        client,
        (
            Some(0),
            "toxiproxy-cli version 2.12.0\n".into(),
            String::new()
        )
    );
}

#[test]
fn a_bad_configuration_stops_us_and_only_worries_the_original() {
    let folder = Folder::new("toxiproxy-config");
    let bad = folder.write("bad.json", r#"[{"name":"a"}]"#);
    let (code, _, said) = run(
        "assize",
        &folder,
        &["proxy", "--port", "0", "--config", &bad],
    );
    assert_eq!(code, Some(2), "{said}");
    assert!(
        said.contains("missing required field: upstream at proxy 1"),
        "{said}"
    );
    for config in [bad.as_str(), "no-such-file.json"] {
        let server = Running::start(
            "toxiproxy-server",
            &folder,
            &["-port", "0", "-config", config],
        );
        let (code, said) = server.end("TERM");
        assert_eq!(code, Some(0));
        assert!(said.contains("going on without"), "{said}");
    }
}

#[test]
fn a_configuration_has_toxics_too() {
    let folder = Folder::new("toxiproxy-toxics");
    let listen = free_port();
    let config = folder.write(
        "config.json",
        &format!(
            r#"[{{"name":"p","listen":"{listen}","upstream":"{}","toxics":[{{"type":"limit_data","attributes":{{"bytes":2}}}}]}}]"#,
            echo()
        ),
    );
    let server = Running::start(
        "assize",
        &folder,
        &["proxy", "--port=0", "--config", &config],
    );
    assert!(
        round_trip(&mut connect(listen), b"1234").is_err(),
        "only two bytes come back"
    );
    let ctl = assize(&["ctl", "--url", &server.url, "inspect", "p"]).expect(0);
    assert!(ctl.out.contains("limit_data_downstream"), "{}", ctl.out);
}

#[test]
fn a_port_that_is_taken_is_said() {
    let folder = Folder::new("toxiproxy-taken");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("its address").port().to_string();
    let (code, _, said) = run("assize", &folder, &["proxy", "--port", &port]);
    assert_eq!(code, Some(4), "{said}");
    let expected = format!("listen tcp 127.0.0.1:{port}: bind: address already in use");
    assert!(said.contains(&expected), "{said}");
}

#[test]
fn people_make_look_at_change_and_delete() {
    let folder = Folder::new("ctl");
    let server = Running::start("assize", &folder, &["proxy", "--port=0"]);
    let ctl = |args: &[&str]| assize(&[&["ctl", "--url", &server.url], args].concat());
    let upstream = echo().to_string();
    let made = ctl(&["create", "p", "--upstream", &upstream]).expect(0);
    let listen: SocketAddr = made
        .out
        .trim()
        .strip_prefix("p listens on ")
        .and_then(|l| l.parse().ok())
        .expect("an address");
    ctl(&[
        "toxic",
        "add",
        "p",
        "-t",
        "latency",
        "-a",
        "latency=5",
        "--expires-in",
        "1h",
    ])
    .expect(0);
    let update = [
        "toxic",
        "update",
        "p",
        "-n",
        "latency_downstream",
        "--toxicity",
        "0.5",
    ];
    ctl(&update).expect(0);
    let mut client = connect(listen);
    round_trip(&mut client, b"hello").expect("an echo");
    let shown = ctl(&["inspect", "p"]).expect(0).out;
    for part in [
        "latency_downstream",
        "0.5",
        "latency=5",
        "s more",
        "1 of 1 connections are open",
    ] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    let json = ctl(&["list", "--format", "json"]).expect(0).json();
    assert_eq!(json["p"]["toxics"][0]["attributes"]["latency"], 5);
    assert!(
        ctl(&["connections", "p"])
            .expect(0)
            .out
            .contains("127.0.0.1:")
    );
    assert_eq!(ctl(&["toggle", "p"]).expect(0).out, "p is now disabled\n");
    assert_eq!(ctl(&["toggle", "p"]).expect(0).out, "p is now enabled\n");
    ctl(&["listener", "p", "refuse"]).expect(0);
    assert!(std::net::TcpStream::connect(listen).is_err());
    ctl(&["reset"]).expect(0);
    round_trip(&mut connect(listen), b"x").expect("an echo");
    ctl(&["toxic", "add", "p", "-t", "timeout", "-n", "t"]).expect(0);
    ctl(&["toxic", "remove", "p", "-n", "t"]).expect(0);
    assert!(ctl(&["cut", "p"]).expect(0).out.starts_with("Cut "));
    let events = ctl(&["events", "--after", "0", "--count", "3"])
        .expect(0)
        .out;
    assert_eq!(events.lines().count(), 3, "{events}");
    assert!(events.starts_with(r#"{"seq":1,"#), "{events}");
    ctl(&["delete", "p"]).expect(0);
    assert!(
        ctl(&["list"])
            .expect(0)
            .out
            .contains("There are no proxies")
    );
}

#[test]
fn what_the_readme_shows_works() {
    let folder = Folder::new("ctl-readme");
    let server = Running::start("assize", &folder, &["proxy", "--port=0"]);
    let listen = free_port().to_string();
    let blocks = crate::readme::blocks("sh").concat();
    let commands = blocks
        .lines()
        .filter_map(|line| line.strip_prefix("assize ctl "));
    let mut count = 0;
    for command in commands {
        let command = command.split('#').next().unwrap_or_default();
        let command = command.replace("127.0.0.1:26379", &listen);
        let args: Vec<&str> = command.split_whitespace().collect();
        assize(&[&["ctl", "--url", &server.url], args.as_slice()].concat()).expect(0);
        count += 1;
    }
    assert_eq!(count, 5);
}

#[test]
fn what_people_get_wrong_is_said_with_what_is_right() {
    let folder = Folder::new("ctl-wrong");
    let server = Running::start("assize", &folder, &["proxy", "--port=0"]);
    let ctl = |args: &[&str]| assize(&[&["ctl", "--url", &server.url], args].concat());
    ctl(&["create", "redis", "--upstream", "127.0.0.1:1"]).expect(0);
    for (args, words) in [
        (&["inspect", "reddis"][..], "there are redis"),
        (&["create", "redis", "-u", "x:1"], "proxy already exists"),
        (
            &["toxic", "add", "redis", "-t", "lag"],
            "there are bandwidth, ",
        ),
        (
            &["toxic", "add", "redis", "-t", "latency", "-a", "delay=1"],
            "it has latency, jitter",
        ),
        (
            &["toxic", "add", "redis", "-t", "latency", "-a", "latency"],
            "KEY=VALUE",
        ),
        (
            &["toxic", "add", "redis", "-t", "latency", "--toxicity", "2"],
            "between 0 and 1",
        ),
        (
            &["toxic", "remove", "redis", "-n", "none"],
            "toxic not found",
        ),
        (
            &[
                "toxic",
                "add",
                "redis",
                "-t",
                "latency",
                "--expires-in",
                "soon",
            ],
            "expires_in",
        ),
    ] {
        let ran = ctl(args).expect(2);
        assert!(ran.err.contains(words), "{args:?}: {}", ran.err);
    }
    let nobody = free_port().to_string();
    let ran = assize(&["ctl", "--url", &nobody, "list"]).expect(4);
    assert!(
        ran.err.contains("is `assize proxy` running there?"),
        "{}",
        ran.err
    );
}

#[test]
fn the_client_of_the_original_says_and_ends_as_it_does() {
    let folder = Folder::new("toxiproxy-cli");
    let server = Running::start("assize", &folder, &["proxy", "--port=0"]);
    let cli = |args: &[&str]| {
        run(
            "toxiproxy-cli",
            &folder,
            &[&["-host", &server.url], args].concat(),
        )
    };
    let (upstream, listen) = (echo().to_string(), free_port().to_string());
    let ok = |text: String| (Some(0), text, String::new());
    assert_eq!(
        cli(&["create", "-l", &listen, "--upstream", &upstream, "redis"]),
        ok("Created new proxy redis\n".into())
    );
    let add = [
        "toxic",
        "add",
        "-t",
        "latency",
        "-toxicName",
        "slow",
        "-u",
        "-tox",
        "0.5",
        "-a",
        "latency=100",
        "-a",
        "jitter=50",
        "redis",
    ];
    assert_eq!(
        cli(&add),
        ok("Added upstream latency toxic 'slow' on proxy 'redis'\n".into())
    );
    let update = ["toxic", "update", "-n", "slow", "-a", "jitter=25", "redis"];
    assert_eq!(
        cli(&update),
        ok("Updated toxic 'slow' on proxy 'redis'\n".into())
    );
    assert_eq!(
        cli(&["ls"]),
        ok(format!("redis\t{listen}\t{upstream}\tenabled\t1\n"))
    );
    assert_eq!(
        cli(&["inspect", "redis"]),
        ok("slow\ttype=latency\tstream=upstream\ttoxicity=0.50\tattributes=[\tjitter=25\tlatency=100\t]\n".into())
    );
    assert_eq!(
        cli(&["toggle", "redis"]),
        ok("Proxy redis is now disabled\n".into())
    );
    assert_eq!(
        cli(&["toxic", "remove", "-n", "slow", "redis"]),
        ok("Removed toxic 'slow' on proxy 'redis'\n".into())
    );
    assert_eq!(
        cli(&["delete", "redis"]),
        ok("Deleted proxy redis\n".into())
    );
    let (code, out, said) = cli(&["inspect", "redis"]);
    assert_eq!((code, out.as_str()), (Some(1), ""));
    assert!(
        said.contains("Failed to retrieve proxy redis: HTTP 404: proxy not found"),
        "{said}"
    );
    assert_eq!(cli(&["create", "x"]).0, Some(1), "wrong usage is 1 too");
}

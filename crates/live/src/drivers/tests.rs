//! Bindings that cannot be, and servers that anyone could write.

use super::*;
use crate::clock::Clock;
use crate::replica::{Call, Effect, Neighbours, Role, Way, What};
use crate::zone::Zone;
use assize_model::ServiceId;
use assize_model::binding::{Command, DRIVERS, EnvVar, Realisation};
use assize_model::faults::How;
use assize_model::file::{LoadOptions, MemorySource, load_topology};
use assize_model::topology::{Probes, Topology};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

#[derive(Debug)]
struct Nobody;

impl Neighbours for Nobody {
    fn service(&self, _: ServiceId, _: u8) -> Option<Way> {
        None
    }
    fn replica(&self, _: u16) -> Option<Way> {
        None
    }
    fn vault(&self, _: usize) -> Option<SocketAddr> {
        None
    }
}

#[test]
fn the_registry_is_what_files_may_name() {
    assert_eq!(REGISTRY.map(|(name, _)| name), DRIVERS);
}

fn topology(service: &str, journey: &str) -> Arc<Topology> {
    let text =
        format!("assize: topology/v1\nservices:\n  app: {service}\njourneys:\n  use: {journey}\n");
    let files = MemorySource::new([("t.yaml", &text)]);
    let read = load_topology(&files, Path::new("t.yaml"), &LoadOptions::default());
    Arc::new(read.unwrap_or_else(|p| panic!("{p}")).0)
}

/// A folder of the test's own, empty.
fn folder(name: &str) -> std::path::PathBuf {
    let folder = std::env::temp_dir().join(format!("assize-drivers-{}-{name}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

async fn begin(
    test: &str,
    service: &str,
    journey: &str,
    allow_exec: bool,
) -> Result<Arc<dyn Replica>, String> {
    let topology = topology(service, journey);
    let context = Context {
        zone: Zone::new(&topology),
        topology: topology.clone(),
        service: ServiceId(0),
        replica: 0,
        clock: Clock::new(tokio::time::Instant::now(), 1),
        neighbours: Arc::new(Nobody),
        folder: folder(test),
        seed: 0,
        phases: 64,
        allow_exec,
    };
    let Realisation::Bound(binding) = &topology.services[0].realised else {
        panic!("not bound")
    };
    start(binding, context)
        .await
        .map_err(|refused| refused.to_string())
}

/// Answers every request with this status line, and counts nothing.
async fn serve(status: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut seen = Vec::new();
                let mut buffer = [0; 4096];
                while let Ok(1..) = stream
                    .read(&mut buffer)
                    .await
                    .inspect(|n| seen.extend_from_slice(&buffer[..*n]))
                {
                    if seen.windows(4).any(|w| w == b"\r\n\r\n") {
                        let good = seen.starts_with(b"GET /health ")
                            || seen.starts_with(b"POST /orders/7-3 ");
                        let status = if good { status } else { "404 Not Found" };
                        let text = format!("HTTP/1.1 {status}\r\ncontent-length: 2\r\n\r\nok");
                        let _ = stream.write_all(text.as_bytes()).await;
                        return;
                    }
                }
            });
        }
    });
    address
}

/// A port at which nobody listens.
/// A port that nobody has, below those that the system gives out by itself.
fn free() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        let count = NEXT.fetch_add(1, Ordering::Relaxed);
        let place = (std::process::id().wrapping_mul(97) + count) % 20_000;
        let port = u16::try_from(10_000 + place).unwrap();
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

fn call(what: What) -> Call {
    Call {
        from: 7,
        weight: 1,
        cohort: 0,
        round_trips: 1,
        sends: assize_fault::Size(0),
        receives: assize_fault::Size(0),
        what,
    }
}

#[tokio::test]
async fn http_asks_what_the_journey_says() {
    let (good, bad) = (
        serve("201 Created").await,
        serve("503 Service Unavailable").await,
    );
    let service = format!("{{driver: http, address: '{good}', health: /health}}");
    let journey = "{http: 'POST /orders/{id}', to: app, body: '{\"n\": {sequence}}', expect: 201}";
    let app = begin("http", &service, journey, false).await.unwrap();
    let request = topology(&service, journey).journeys[0]
        .request
        .clone()
        .unwrap();
    let what = What::Request(Arc::new(request), ledger::entry(7, 3));
    assert_eq!(
        app.call(good, &call(what.clone())).await,
        Ok(Default::default())
    );
    let Err(Trouble::Answered(text)) = app.call(bad, &call(what.clone())).await else {
        panic!("served")
    };
    assert_eq!(text, "POST /orders/7-3: status 503");
    assert!(matches!(
        app.check(bad, Probes::Service).await,
        Err(Trouble::Answered(_))
    ));
    assert_eq!(app.check(bad, Probes::Host).await, Ok(()));
    let nobody = SocketAddr::from(([127, 0, 0, 1], free()));
    assert!(matches!(
        app.call(nobody, &call(what)).await,
        Err(Trouble::Refused(_))
    ));
    assert!(app.is_real());
}

#[tokio::test]
async fn bindings_that_cannot_be_are_refused_in_words() {
    let port = free();
    let at = format!("address: '127.0.0.1:{port}'");
    let taken = serve("200 OK").await;
    for (service, journey, exec, says) in [
        (
            format!("{{driver: http, {at}}}"),
            "{calls: app}",
            false,
            "app/a at 127.0.0.1:",
        ),
        (
            format!("{{driver: http, {at}}}"),
            "{ledger: app}",
            false,
            "asks what the driver `http` does not do",
        ),
        (
            format!("{{driver: tcp, {at}}}"),
            "{http: /, to: app}",
            false,
            "bind it by `driver: http`",
        ),
        (
            format!("{{driver: process, {at}, commands: {{start: [sleep, 60]}}}}"),
            "{calls: app}",
            false,
            "--allow-exec",
        ),
        (
            format!("{{driver: process, {at}, commands: {{start: [./nothing-there]}}}}"),
            "{calls: app}",
            true,
            "nothing-there cannot be started",
        ),
        (
            format!(
                "{{driver: process, {at}, commands: {{start: [sh, -c, 'echo no licence; exit 3']}}}}"
            ),
            "{calls: app}",
            true,
            "it ended before it was ready (exit status: 3); it said: no licence",
        ),
        (
            format!("{{driver: process, address: '{taken}', commands: {{start: [sleep, 60]}}}}"),
            "{calls: app}",
            true,
            "is in use already, by something else",
        ),
        (
            format!("{{driver: postgres, {at}, dsn: {{env: ASSIZE_TEST_NO_SUCH}}}}"),
            "{ledger: app}",
            false,
            "the environment variable ASSIZE_TEST_NO_SUCH is not set",
        ),
    ] {
        let refused = begin("refused", &service, journey, exec).await.unwrap_err();
        assert!(refused.contains(says), "{service}: {refused}");
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_process_crashes_hangs_and_comes_back() {
    let port = free();
    let script = "import http.server, sys; http.server.ThreadingHTTPServer((\"127.0.0.1\", int(sys.argv[1])), http.server.SimpleHTTPRequestHandler).serve_forever()";
    let service = format!(
        "{{driver: http, address: '127.0.0.1:{port}', commands: {{start: [python3, -c, '{script}', '{{port}}']}}}}"
    );
    let app = begin("process", &service, "{calls: app}", true)
        .await
        .unwrap();
    let own = SocketAddr::from(([127, 0, 0, 1], port));
    let asked = || async {
        let what = call(What::Plain);
        timeout(Duration::from_secs(2), app.call(own, &what)).await
    };
    assert_eq!(asked().await.unwrap(), Ok(Default::default()));
    app.apply(Effect::Down(How::Refuse), true).await.unwrap();
    assert!(matches!(asked().await.unwrap(), Err(Trouble::Refused(_))));
    app.apply(Effect::Down(How::Refuse), false).await.unwrap();
    assert!(asked().await.unwrap().is_ok());
    app.apply(Effect::NoAnswer(How::BlackHole), true)
        .await
        .unwrap();
    assert!(asked().await.is_err(), "a stopped process answered");
    app.apply(Effect::NoAnswer(How::BlackHole), false)
        .await
        .unwrap();
    assert!(asked().await.unwrap().is_ok());
    app.apply(Effect::Down(How::BlackHole), true).await.unwrap();
    app.stop().await;
    assert!(matches!(asked().await.unwrap(), Err(Trouble::Refused(_))));
}

#[cfg(unix)]
#[tokio::test]
async fn commands_keep_the_contract() {
    let address = serve("200 OK").await;
    let store = folder("store").join("entries");
    let write = format!(
        "echo $ASSIZE_WRITER $ASSIZE_SEQUENCE $ASSIZE_HASH $ASSIZE_CONTENT >> {}",
        store.display()
    );
    let service = format!(
        "{{driver: exec, address: '{address}', commands: {{write: [sh, -c, '{write}'], held: [cat, '{}'], \
         read: [sh, -c, 'echo 41'], role: [echo, standby], promote: [sh, -c, 'echo x >&2; exit 69'], \
         backup: [sh, -c, 'echo bytes 5; echo load 0.25']}}}}",
        store.display()
    );
    let app = begin("exec", &service, "{ledger: app}", true)
        .await
        .unwrap();
    let entry = ledger::entry(1, 2);
    app.call(address, &call(What::Write(entry.clone())))
        .await
        .unwrap();
    let held = app.held(address).await.unwrap();
    assert_eq!(
        (held.len(), &held[0].entry, &held[0].content_hash),
        (1, &entry, &entry.hash)
    );
    assert_eq!(
        app.call(address, &call(What::Read)).await.unwrap().sequence,
        Some(41)
    );
    assert_eq!(app.role(address).await, Ok(Role::Standby));
    assert_eq!(
        app.promote().await,
        Err(Trouble::Refused("`promote`: x".into()))
    );
    app.apply(Effect::PromotionFails, true).await.unwrap();
    assert!(
        app.promote()
            .await
            .unwrap_err()
            .to_string()
            .contains("by the scenario")
    );
    let unsupported = app.apply(Effect::Slow(Nanos::secs(1)), true).await;
    assert!(matches!(unsupported, Err(Trouble::Unsupported(_))));
}

/// What a data source holds is in no message.
#[tokio::test]
async fn a_command_does_not_give_the_password_away() {
    let binding = Binding {
        driver: "exec".into(),
        addresses: vec!["h:1".into()],
        dsn: Some(EnvVar("X".into())),
        peers: Vec::new(),
        health: None,
        commands: vec![Command {
            verb: "promote".into(),
            replica: None,
            argv: ["sh", "-c", "echo password hunter2 is wrong >&2; exit 1"]
                .map(String::from)
                .into(),
        }],
        folder: "".into(),
    };
    let topology = topology("{driver: tcp, address: 'h:1'}", "{calls: app}");
    let context = Context {
        zone: Zone::new(&topology),
        topology,
        service: ServiceId(0),
        replica: 0,
        clock: Clock::new(tokio::time::Instant::now(), 1),
        neighbours: Arc::new(Nobody),
        folder: folder("secret"),
        seed: 0,
        phases: 64,
        allow_exec: true,
    };
    let source = "postgres://u:hunter2@h/d";
    let secrets = Secrets::of(source, &data_source(source).unwrap());
    let commands = Commands::new(&binding, &context, secrets);
    let trouble = commands.run("promote", &[]).await.unwrap_err();
    assert_eq!(
        trouble,
        Trouble::Answered("`promote` ended with 1: password … is wrong".into())
    );
}

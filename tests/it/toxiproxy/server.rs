//! A server for each test, requests to it byte by byte, and upstreams for its proxies.

use assize_proxy::api::{Server, Settings};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

/// Longer than anything here takes, on any machine; whoever waits so long has failed.
pub(super) const LIMIT: Duration = Duration::from_secs(20);

/// What came back.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    head: String,
    pub(super) body: String,
}

impl Answer {
    /// The value of a header, whatever the case of its name.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        let found = lines.find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value)
    }

    /// The head as it came.
    pub(super) fn head(&self) -> &str {
        &self.head
    }

    /// The body as JSON.
    pub(super) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// A server on a port of its own.
pub(super) struct Api {
    pub(super) server: Server,
}

impl Api {
    /// With settings as `assize proxy` has them.
    pub(super) fn start() -> Self {
        Self::with(Settings::default())
    }

    /// With other settings; the port is the system's choice in any case.
    pub(super) fn with(settings: Settings) -> Self {
        let settings = Settings {
            port: 0,
            ..settings
        };
        let server = Server::start(settings).unwrap_or_else(|error| panic!("{error}"));
        Self { server }
    }

    /// Where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Sends a request with a body and no header that a client could leave out.
    pub(super) fn ask(&self, method: &str, path: &str, body: &str) -> Answer {
        self.ask_with(method, path, "", body.as_bytes())
    }

    /// As [`Self::ask`], with header lines, each with its line end.
    pub(super) fn ask_with(&self, method: &str, path: &str, headers: &str, body: &[u8]) -> Answer {
        let host = self.address();
        let length = body.len();
        let host_line = if headers.to_lowercase().contains("host:") {
            String::new()
        } else {
            format!("Host: {host}\r\n")
        };
        let mut request = format!(
            "{method} {path} HTTP/1.1\r\n{host_line}Connection: close\r\n\
             Content-Length: {length}\r\n{headers}\r\n"
        )
        .into_bytes();
        request.extend_from_slice(body);
        let bytes = self.exchange(&request);
        answer(&bytes).unwrap_or_else(|| panic!("no answer to {method} {path}"))
    }

    /// Sends bytes and reads all that comes back until the server closes.
    pub(super) fn exchange(&self, request: &[u8]) -> Vec<u8> {
        let mut stream = TcpStream::connect(self.address()).expect("a connection");
        stream.set_read_timeout(Some(LIMIT)).expect("a limit");
        // The server may answer and close before it has read all of a bad request.
        let _ = stream.write_all(request);
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        bytes
    }

    /// Asserts status and body of an answer.
    #[track_caller]
    pub(super) fn expect(&self, request: (&str, &str, &str), status: u16, body: &str) -> Answer {
        let (method, path, sent) = request;
        let answer = self.ask(method, path, sent);
        assert_eq!(
            (answer.status, answer.body.as_str()),
            (status, body),
            "{method} {path} {sent}"
        );
        answer
    }

    /// Makes a proxy on a free port to this upstream, and gives its address.
    #[track_caller]
    pub(super) fn proxy(&self, name: &str, upstream: SocketAddr) -> SocketAddr {
        let body = format!(r#"{{"name":"{name}","listen":"127.0.0.1:0","upstream":"{upstream}"}}"#);
        let made = self.ask("POST", "/proxies", &body);
        assert_eq!(made.status, 201, "{made:?}");
        let listen = made.json()["listen"].as_str().map(str::to_owned);
        listen.and_then(|l| l.parse().ok()).expect("an address")
    }

    /// Adds a toxic.
    #[track_caller]
    pub(super) fn toxic(&self, proxy: &str, body: &str) {
        let made = self.ask("POST", &format!("/proxies/{proxy}/toxics"), body);
        assert_eq!(made.status, 200, "{made:?}");
    }
}

/// The parts of an answer; none if the bytes are no whole answer.
pub(super) fn answer(bytes: &[u8]) -> Option<Answer> {
    let text = String::from_utf8_lossy(bytes);
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some(Answer {
        status,
        head: head.to_owned(),
        body: body.to_owned(),
    })
}

/// A server that sends back what it reads, on as many connections as come, until the test ends.
pub(super) fn echo() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its address");
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || {
                let (mut from, mut to) = (stream.try_clone().ok()?, stream);
                std::io::copy(&mut from, &mut to).ok()?;
                to.shutdown(std::net::Shutdown::Write).ok()
            });
        }
    });
    address
}

/// A connection that gives up reading after [`LIMIT`].
#[track_caller]
pub(super) fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("a connection");
    stream.set_read_timeout(Some(LIMIT)).expect("a limit");
    stream
}

/// Sends a message and reads as many bytes back.
pub(super) fn round_trip(stream: &mut TcpStream, message: &[u8]) -> std::io::Result<Vec<u8>> {
    stream.write_all(message)?;
    let mut back = vec![0; message.len()];
    stream.read_exact(&mut back)?;
    Ok(back)
}

/// Waits until something is so.
#[expect(clippy::disallowed_methods, reason = "waiting has a limit")]
#[track_caller]
pub(super) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < LIMIT, "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

//! `cargo xtask soak proxy --minutes N`: clients that check every byte, while faults come and go.
//!
//! It fails on a byte that is lost, doubled or swapped, on a connection that ends though nobody
//! cut it, on one that stalls, on bytes that stay held, and on memory that grows. What is done is
//! drawn from a seed that is printed; the interleaving is the machine's.

use crate::say;
use anyhow::{Context, Result, bail, ensure};
use assize_fault::{Stream, Value, Wire};
use assize_proxy::{Change, Cut, Direction, Engine, EngineOptions, Listening, Proxy, Toxic};
use rustix::time::{ClockId, clock_gettime};
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

/// Clients at once, and the most that one sends.
const CLIENTS: u64 = 8;
const MOST: u64 = 2 << 20;

/// Longer than any fault here holds a byte, on a busy machine too.
const STALL: Duration = Duration::from_secs(60);

/// What the process may hold in memory, in KiB.
const MEMORY: u64 = 512 << 10;

/// Names that faults go by.
const NAMES: [&str; 4] = ["a", "b", "c", "d"];

/// What is shared by those who act and those who check.
struct World {
    proxy: Proxy,
    /// How often connections were cut or the proxy was off; odd while that is going on.
    cuts: AtomicU64,
    checked: AtomicU64,
    end: i64,
    seed: u64,
}

/// Soaks the proxy for so many minutes.
pub(crate) fn run(minutes: u64, seed: u64) -> Result<()> {
    say::progress(&format!("soak: {minutes} minutes, seed {seed}"));
    let engine = Engine::new(EngineOptions {
        seed,
        ..EngineOptions::default()
    })?;
    let proxy = Proxy::tcp("127.0.0.1:0")
        .upstream(echo()?.to_string())
        .name("soak")
        .on(&engine)
        .start()?;
    let world = World {
        proxy,
        cuts: AtomicU64::new(0),
        checked: AtomicU64::new(0),
        end: now() + i64::try_from(minutes * 60).unwrap_or(i64::MAX / 2),
        seed,
    };
    thread::scope(|scope| -> Result<()> {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|number| {
                scope.spawn({
                    let world = &world;
                    move || client(world, number)
                })
            })
            .collect();
        let acted = act(&world);
        for client in clients {
            client
                .join()
                .unwrap_or_else(|_| bail!("a client panicked"))?;
        }
        acted
    })?;
    for _ in 0..400 {
        if world.proxy.counters().open == 0 && engine.held().0 == 0 {
            break;
        }
        pause(25);
    }
    let counters = world.proxy.counters();
    ensure!(
        counters.open == 0,
        "{} connections stay open",
        counters.open
    );
    ensure!(engine.held().0 == 0, "{} bytes stay held", engine.held().0);
    say::line(&format!(
        "soak: {} connections, {} MB checked, {} MB spliced, {} cuts, {} MiB of memory, seed {seed}",
        counters.accepted,
        world.checked.load(SeqCst) / 1_000_000,
        (counters.upstream.spliced + counters.downstream.spliced) / 1_000_000,
        world.cuts.load(SeqCst) / 2,
        memory()? / 1024,
    ));
    Ok(())
}

/// Does something at random every few milliseconds, until the time is up; then takes all faults
/// away.
fn act(world: &World) -> Result<()> {
    let mut dice = Stream::new(world.seed, &["soak", "acts"]);
    while now() < world.end {
        let name = NAMES[dice.below(4) as usize];
        match dice.below(100) {
            0..40 => drop(world.proxy.attach(toxic(name, &mut dice)?)),
            40..55 => {
                let wire = Some(toxic(name, &mut dice)?.wire);
                let change = Change {
                    wire,
                    ..Change::default()
                };
                // There may be no fault of that name, which is an error and no harm.
                drop(world.proxy.change(name, change));
            }
            55..94 => drop(world.proxy.detach(name)),
            94..97 => drop(world.proxy.detach_all()?),
            97 => cutting(world, |proxy| proxy.cut(Cut::Close).map(drop))?,
            98 => cutting(world, |proxy| proxy.cut(Cut::Reset).map(drop))?,
            _ => cutting(world, |proxy| {
                proxy.listener(Listening::Refuse)?;
                proxy.listener(Listening::Open)?;
                proxy.enable(false)?;
                proxy.enable(true)
            })?,
        }
        ensure!(memory()? < MEMORY, "{} KiB of memory", memory()?);
        pause(dice.below(15));
    }
    world.proxy.detach_all()?;
    Ok(())
}

/// Does something that ends connections, so that their clients know that it was meant.
fn cutting(world: &World, body: impl Fn(&Proxy) -> Result<(), assize_proxy::Error>) -> Result<()> {
    world.cuts.fetch_add(1, SeqCst);
    let done = body(&world.proxy);
    world.cuts.fetch_add(1, SeqCst);
    Ok(done?)
}

/// A fault that keeps every byte.
fn toxic(name: &str, dice: &mut Stream) -> Result<Toxic> {
    let (kind, settings) = match dice.below(5) {
        0 => (
            "latency",
            [("latency", dice.below(30)), ("jitter", dice.below(30))],
        ),
        1 => (
            "bandwidth",
            [("rate", 20_000 + dice.below(200_000)), ("rate", 50_000)],
        ),
        2 => (
            "slicer",
            [
                ("average_size", 500 + dice.below(40_000)),
                ("size_variation", dice.below(400)),
            ],
        ),
        3 => ("packet_loss", [("rto", 1 + dice.below(5)), ("rto", 2)]),
        _ => ("slow_close", [("delay", dice.below(50)), ("delay", 5)]),
    };
    let mut wire = Wire::named(kind).context("no such fault")?;
    for (setting, value) in settings {
        let value = Value::Int(value.cast_signed());
        wire.set(setting, value)
            .map_err(|refused| anyhow::anyhow!("{refused}"))?;
    }
    let direction = if dice.below(2) == 0 {
        Direction::Upstream
    } else {
        Direction::Downstream
    };
    Ok(Toxic::new(name, direction, wire))
}

/// Connects, sends, checks what comes back, and again.
fn client(world: &World, number: u64) -> Result<()> {
    let mut dice = Stream::new(world.seed, &["soak", "client", &number.to_string()]);
    while now() < world.end {
        let cuts = world.cuts.load(SeqCst);
        let size = dice.below(MOST);
        match exchange(world.proxy.addr(), size, dice.below(200_000) + 1) {
            Ok(()) => drop(world.checked.fetch_add(size, SeqCst)),
            // It was cut while it was open, or while it was being opened.
            Err(Fault::Ended(_)) if cuts % 2 == 1 || world.cuts.load(SeqCst) != cuts => {}
            Err(Fault::Ended(why)) => bail!("client {number} ended early: {why}"),
            Err(Fault::Wrong(at)) => bail!("client {number}: byte {at} of {size} is wrong"),
        }
    }
    Ok(())
}

/// What can go wrong with an exchange.
enum Fault {
    Ended(String),
    Wrong(u64),
}

impl From<std::io::Error> for Fault {
    fn from(error: std::io::Error) -> Self {
        Self::Ended(error.to_string())
    }
}

/// Sends `size` bytes in pieces, ends, and reads the same back to the end.
fn exchange(address: SocketAddr, size: u64, piece: u64) -> Result<(), Fault> {
    let stream = TcpStream::connect_timeout(&address, STALL)?;
    stream.set_read_timeout(Some(STALL))?;
    stream.set_write_timeout(Some(STALL))?;
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut at = 0;
            let mut writer = &stream;
            while at < size {
                let bytes: Vec<u8> = (at..size.min(at + piece)).map(byte_at).collect();
                at += bytes.len() as u64;
                if writer.write_all(&bytes).is_err() {
                    return;
                }
            }
            // The reader finds out if this fails.
            let _ = stream.shutdown(Shutdown::Write);
        });
        let read = check(&stream, size);
        // The writer must not wait for what nobody reads.
        let _ = stream.shutdown(Shutdown::Both);
        read
    })
}

fn check(mut stream: &TcpStream, size: u64) -> Result<(), Fault> {
    let mut at = 0;
    let mut buffer = [0; 32 << 10];
    loop {
        let read = stream.read(&mut buffer)?;
        if read == 0 && at < size {
            return Err(Fault::Ended(format!("{at} of {size} bytes")));
        }
        if read == 0 {
            return Ok(());
        }
        for byte in &buffer[..read] {
            if at >= size || *byte != byte_at(at) {
                return Err(Fault::Wrong(at));
            }
            at += 1;
        }
    }
}

/// The byte that belongs at a place of the stream.
fn byte_at(place: u64) -> u8 {
    (place.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8
}

fn echo() -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            thread::spawn(move || {
                let mut buffer = [0; 32 << 10];
                while let Ok(read @ 1..) = stream.read(&mut buffer) {
                    if stream.write_all(&buffer[..read]).is_err() {
                        return;
                    }
                }
            });
        }
    });
    Ok(address)
}

/// Resident memory of this process in KiB.
fn memory() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    Ok(number.context("no VmRSS")?.parse()?)
}

/// Seconds of a clock that goes on.
fn now() -> i64 {
    clock_gettime(ClockId::Monotonic).tv_sec
}

#[expect(clippy::disallowed_methods, reason = "acts are spread over wall time")]
fn pause(millis: u64) {
    thread::sleep(Duration::from_millis(millis));
}

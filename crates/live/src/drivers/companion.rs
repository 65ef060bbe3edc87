//! Points a replica that the run has started at its neighbours, through the network.
//!
//! Proxies are made after every replica has started, so a program cannot be told their addresses
//! when it starts. A standby is told whom to follow by the command `follow`, once, as soon as
//! there is a way; later changes are the director's. A program finds each service that it depends
//! on in a file of its folder, `services/NAME`, which holds `HOST:PORT` and is replaced when its
//! clients are sent elsewhere, as a resolver's answer would be. A system that fails over by itself
//! finds its other replicas, and the further addresses that its control plane uses, in `peers/NAME`
//! in the same way. Systems that the run has not
//! started are left as they are.

use super::bound::Bound;
use crate::context::Context;
use crate::realise::peers_of;
use crate::replica::Replica;
use assize_model::ServiceId;
use assize_model::topology::{Mode, Rejoin};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, PoisonError, Weak};
use std::time::Duration;
use tokio::time::sleep;

/// How often neighbours are looked up.
const LOOK: Duration = Duration::from_millis(100);

/// Whom a program finds in a file of its folder.
#[derive(Clone, Copy)]
enum Neighbour {
    Service(ServiceId),
    Replica(u16),
    Peer(u16),
}

/// One of them: the file's folder and name, and what it said last.
struct Pointer {
    to: Neighbour,
    folder: &'static str,
    name: String,
    said: Option<SocketAddr>,
}

/// Whom a replica that the run starts finds.
fn pointers(context: &Context) -> Vec<Pointer> {
    let service = context.spec();
    let pointer = |to, folder, name: &str| Pointer {
        to,
        folder,
        name: name.to_owned(),
        said: None,
    };
    let any = service.depends.any_of.iter().flatten();
    let depends = service.depends.all_of.iter().chain(any);
    let mut all: Vec<Pointer> = depends
        .map(|d| {
            let name = &context.topology.service(d.service).id;
            pointer(Neighbour::Service(d.service), "services", name)
        })
        .collect();
    if service.failover.as_ref().is_some_and(|f| f.external) {
        let others = (0..).zip(&service.replicas);
        let others = others.filter(|(r, _)| *r != context.replica);
        all.extend(others.map(|(r, o)| pointer(Neighbour::Replica(r), "peers", &o.id)));
    }
    let peers = (0..).zip(peers_of(service));
    all.extend(peers.map(|(p, name)| pointer(Neighbour::Peer(p), "peers", name)));
    all
}

/// A replica with its companion, if it needs one.
pub(super) fn accompanied(bound: Bound, context: &Context) -> Arc<dyn Replica> {
    let service = context.spec();
    let home = service.replicas.iter().position(|r| r.primary).unwrap_or(0);
    let external = service.failover.as_ref().is_some_and(|f| f.external);
    let follows = service.mode == Mode::ActiveStandby
        && home != usize::from(context.replica)
        && bound.commands.has("follow")
        && !external;
    let started = bound.process.is_some();
    let pointers = pointers(context);
    let bound = Arc::new(bound);
    if started && (follows || !pointers.is_empty()) {
        let home = follows.then(|| u16::try_from(home).unwrap_or(0));
        let task = tokio::spawn(accompany(
            Arc::downgrade(&bound),
            context.clone(),
            pointers,
            home,
        ));
        *bound
            .companion
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(task);
    }
    bound
}

async fn accompany(
    bound: Weak<Bound>,
    context: Context,
    mut pointers: Vec<Pointer>,
    mut home: Option<u16>,
) {
    while let Some(bound) = bound.upgrade() {
        if let Some(way) = home.and_then(|home| context.neighbours.replica(home)) {
            home = None;
            if let Err(trouble) = bound.follow(way, Rejoin::Rewind).await {
                note(
                    &bound,
                    format!("{} does not follow: {trouble}", context.name()),
                );
            }
        }
        for pointer in &mut pointers {
            let via = match pointer.to {
                Neighbour::Service(s) => context.neighbours.service(s, 0).map(|way| way.via),
                Neighbour::Replica(r) => context.neighbours.replica(r).map(|way| way.via),
                Neighbour::Peer(p) => context.neighbours.peer(p),
            };
            if via.is_some() && via != pointer.said {
                let folder = context.folder.join(pointer.folder);
                let name = &pointer.name;
                match point(&folder, name, via) {
                    Ok(()) => pointer.said = via,
                    Err(error) => note(&bound, format!("{}: {name}: {error}", context.name())),
                }
            }
        }
        drop(bound);
        sleep(LOOK).await;
    }
}

/// Replaces the file at once: no reader sees half an address.
fn point(folder: &Path, name: &str, via: Option<SocketAddr>) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let (new, file) = (folder.join(format!("{name}.new")), folder.join(name));
    std::fs::write(&new, via.map(|via| format!("{via}\n")).unwrap_or_default())?;
    std::fs::rename(new, file)
}

fn note(bound: &Bound, text: String) {
    let mut notes = bound.notes.lock().unwrap_or_else(PoisonError::into_inner);
    // The same trouble again and again is one.
    if notes.last() != Some(&text) {
        notes.push(text);
    }
}

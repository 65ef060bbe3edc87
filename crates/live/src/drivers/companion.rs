//! Points a replica that the run has started at its neighbours, through the network.
//!
//! Proxies are made after every replica has started, so a program cannot be told their addresses
//! when it starts. A standby is told whom to follow by the command `follow`, once, as soon as
//! there is a way; later changes are the director's. A program finds each service that it depends
//! on in a file of its folder, `services/NAME`, which holds `HOST:PORT` and is replaced when its
//! clients are sent elsewhere, as a resolver's answer would be. Systems that the run has not
//! started are left as they are.

use super::bound::Bound;
use crate::context::Context;
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

/// A replica with its companion, if it needs one.
pub(super) fn accompanied(bound: Bound, context: &Context) -> Arc<dyn Replica> {
    let service = context.spec();
    let depends = service
        .depends
        .all_of
        .iter()
        .chain(service.depends.any_of.iter().flatten());
    let depends: Vec<ServiceId> = depends.map(|d| d.service).collect();
    let home = service.replicas.iter().position(|r| r.primary).unwrap_or(0);
    let external = service.failover.as_ref().is_some_and(|f| f.external);
    let follows = service.mode == Mode::ActiveStandby
        && home != usize::from(context.replica)
        && bound.commands.has("follow")
        && !external;
    let started = bound.process.is_some();
    let bound = Arc::new(bound);
    if started && (follows || !depends.is_empty()) {
        let home = follows.then(|| u16::try_from(home).unwrap_or(0));
        let task = tokio::spawn(accompany(
            Arc::downgrade(&bound),
            context.clone(),
            depends,
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
    depends: Vec<ServiceId>,
    mut home: Option<u16>,
) {
    let mut said: Vec<Option<SocketAddr>> = vec![None; depends.len()];
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
        for (service, said) in depends.iter().zip(&mut said) {
            let via = context.neighbours.service(*service, 0).map(|way| way.via);
            if via.is_some() && via != *said {
                let name = &context.topology.service(*service).id;
                match point(&context.folder, name, via) {
                    Ok(()) => *said = via,
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
    let folder = folder.join("services");
    std::fs::create_dir_all(&folder)?;
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

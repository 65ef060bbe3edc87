//! What a service must not lose: replication and backups.

use super::cx::Fields;
use super::doc::Doc;
use super::topology::Build;
use crate::calendar::TimeOfDay;
use crate::ids::NodeId;
use crate::topology::{Backup, Replication, Service, State};
use assize_fault::{Nanos, Size};

impl Build<'_> {
    pub(crate) fn state(&self, f: &Fields<'_>, service: &Service) -> Option<State> {
        let s = Fields::open(self.cx, f.raw("state")?, "state")?;
        let replication = s.raw("replication").and_then(|d| self.replication(d));
        let mut backups = Vec::new();
        let mut risks = Vec::new();
        for (i, doc) in s.list("backups").into_iter().enumerate() {
            let Some(b) = Fields::open(self.cx, doc, "backup") else {
                continue;
            };
            if let Some(backup) = self.backup(&b, i, service) {
                risks.push(
                    self.vault_risk(backup.kept_at, service)
                        .map(|what| (b.key("kept_at"), what)),
                );
                if backups.iter().any(|other: &Backup| other.id == backup.id) {
                    self.cx.error(
                        b.at,
                        format!("two backups are named `{}`", backup.id),
                        "give one another `id`",
                    );
                }
                backups.push(backup);
            }
            b.finish();
        }
        // One backup beside the primary is quick to restore from, as long as another is elsewhere.
        if risks.iter().all(Option::is_some) {
            for (at, what) in risks.into_iter().flatten() {
                self.cx.warn(at, what, "keep a backup elsewhere too");
            }
        }
        s.finish();
        Some(State {
            replication,
            backups,
        })
    }

    fn replication(&self, doc: &Doc) -> Option<Replication> {
        if doc.scalar() == Some("sync") {
            return Some(Replication::Sync);
        }
        let r = Fields::open(self.cx, doc, "replication")?;
        let every = r.period("every");
        let phase = r.duration_or("phase", Nanos::ZERO);
        let asynchronous = r.choice("mode", &[("sync", false), ("async", true)]);
        if !r.has("mode") {
            self.cx
                .error(r.at, "`mode` is missing", "write `sync` or `async`");
        }
        let replication = if asynchronous? {
            if !r.has("every") {
                let help = "how often what has come since is shipped: `every: 5s`";
                self.cx.error(r.at, "`every` is missing", help);
            }
            Replication::Async {
                every: every.unwrap_or(Nanos::secs(1)),
                phase,
            }
        } else {
            if r.has("every") {
                self.cx.error(
                    r.key("every"),
                    "a synchronous write waits for no schedule",
                    "remove `every`",
                );
            }
            Replication::Sync
        };
        r.finish();
        Some(replication)
    }

    fn backup(&self, b: &Fields<'_>, number: usize, service: &Service) -> Option<Backup> {
        let every = b.duration("every");
        if every.is_none_or(|e| e < Nanos::mins(1)) {
            self.cx.error(
                b.key("every"),
                "a backup is taken `every` so often, at least every 1m",
                "",
            );
        }
        let at = b
            .raw("at")
            .and_then(|d| self.cx.parsed(d, "at", "a time of day", TimeOfDay::parse));
        if at.is_some_and(|t| t.0 >= 24 * 60) {
            self.cx
                .error(b.key("at"), "a day's first backup begins before 24:00", "");
        }
        let takes = b.duration_or("takes", Nanos::ZERO);
        let size = b.size("size").unwrap_or_default();
        let Some((kept_at, kept_by)) = self.kept_at(b) else {
            b.ignore(&[
                "id",
                "restore_rate",
                "restore_takes",
                "needs",
                "offline",
                "last_verified",
            ]);
            return None;
        };
        if let (Some(every), true) = (every, every.is_some_and(|e| takes > e)) {
            let what = format!("a backup takes {takes} and is due every {every}");
            self.cx.warn(
                b.key("takes"),
                what,
                "it is never finished when the next one is due",
            );
        }
        let needs = b.texts("needs");
        let mut found = Vec::new();
        for (name, at) in needs.iter().chain(&kept_by) {
            if let Some(needed) = self.find_service(name, *at) {
                found.push(needed);
                let user = self.names.services.get(&service.id).unwrap_or(0);
                self.restores.borrow_mut().push((user, needed.index(), *at));
            }
        }
        Some(Backup {
            id: b
                .text("id")
                .unwrap_or_else(|| format!("backup-{}", number + 1)),
            every: every.unwrap_or(Nanos::hours(24)),
            at,
            takes,
            kept_at,
            restore_takes: self.restore_takes(b, size).unwrap_or(takes),
            size,
            offline: b.flag("offline").unwrap_or(false),
            needs: found,
            last_verified: b.text("last_verified"),
        })
    }

    /// The node, and the service that keeps it if the file names one.
    fn kept_at(&self, b: &Fields<'_>) -> Option<(NodeId, Option<(String, super::place::Span)>)> {
        let Some(doc) = b.raw("kept_at") else {
            self.cx.error(
                b.at,
                "`kept_at` is missing",
                "the node that holds the backup",
            );
            return None;
        };
        let text = self.cx.text(doc, "kept_at")?;
        let Some(service) = text.strip_prefix("service/") else {
            return Some((self.single_node(doc, "kept_at"), None));
        };
        let id = self.find_service(service, doc.at)?;
        let keeper = self.t.services.get(id.index())?;
        let home = keeper.replicas.iter().find(|r| r.primary)?;
        Some((home.at, Some((service.to_string(), doc.at))))
    }

    fn restore_takes(&self, b: &Fields<'_>, size: Size) -> Option<Nanos> {
        let stated = b.duration("restore_takes");
        let Some(rate) = b.raw("restore_rate") else {
            return stated;
        };
        let per = self
            .cx
            .parsed(rate, "restore_rate", "a restore rate", |text| {
                let (amount, unit) = text.split_once('/').ok_or("write for example `200GiB/h`")?;
                let per = match unit.trim() {
                    "s" => Nanos::secs(1),
                    "min" | "m" => Nanos::mins(1),
                    "h" => Nanos::hours(1),
                    _ => return Err("a restore rate is per s, min or h".into()),
                };
                let amount = Size::parse(amount)?;
                if amount.0 == 0 {
                    Err("a restore rate is not zero".into())
                } else {
                    Ok((amount, per))
                }
            });
        if stated.is_some() {
            self.cx.error(
                rate.at,
                "`restore_rate` and `restore_takes` are both given",
                "keep one",
            );
        }
        if !b.has("size") {
            self.cx.error(
                rate.at,
                "`restore_rate` needs the `size` that is restored",
                "",
            );
        }
        let (amount, per) = per?;
        let ns = i128::from(size.0) * i128::from(per.0) / i128::from(amount.0);
        let takes = Nanos(
            i64::try_from(ns)
                .unwrap_or(i64::MAX)
                .min(super::cx::LONGEST.0),
        );
        Some(stated.unwrap_or(takes))
    }

    /// A backup that falls with what it backs up is no backup against that fall.
    fn vault_risk(&self, vault: NodeId, service: &Service) -> Option<String> {
        let home = service.replicas.iter().find(|r| r.primary)?;
        if home.at == vault {
            return Some(format!(
                "`{}` keeps this backup on the node of its primary",
                service.id
            ));
        }
        // After an error elsewhere either node may be missing.
        let place = self.t.nodes.get(home.at.index())?;
        let vault = self.t.nodes.get(vault.index())?;
        let direct = [home.domains.as_slice(), place.domains.as_slice()].concat();
        let domain = self.shared_place(&direct, &vault.domains)?;
        Some(format!(
            "`{}` and its backup lie in one domain, `{domain}`",
            service.id
        ))
    }
}

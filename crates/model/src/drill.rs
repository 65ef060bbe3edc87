//! The record of a drill: who led, observed and approved it, and what follows. Data only; nothing
//! of it decides a figure.

/// A record.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Drill {
    /// The kind of test, such as `failover`.
    pub kind: &'static str,
    /// Who led it.
    pub lead: String,
    /// Who watched.
    pub observers: Vec<String>,
    /// The change ticket.
    pub change: Option<String>,
    /// Who approved it.
    pub approvals: Vec<Approval>,
    /// What follows from it.
    pub actions: Vec<Action>,
    /// Anything else.
    pub notes: Option<String>,
}

/// An approval.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Approval {
    /// Who.
    pub by: String,
    /// In which role.
    pub role: Option<String>,
    /// A date.
    pub on: String,
}

/// Something to be done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Action {
    /// What.
    pub what: String,
    /// Who answers for it.
    pub owner: String,
    /// A date.
    pub due: String,
    /// The date on which it was done.
    pub done: Option<String>,
}

impl Drill {
    /// In sentences, a line each.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!("{} test, led by {}", self.kind, self.lead)];
        match self.observers.as_slice() {
            [] => lines.push("nobody observed it".into()),
            some => lines.push(format!("observed by {}", some.join(", "))),
        }
        lines.extend(self.change.iter().map(|change| format!("change {change}")));
        for Approval { by, role, on } in &self.approvals {
            let role = role
                .as_ref()
                .map_or(String::new(), |role| format!(" ({role})"));
            lines.push(format!("approved by {by}{role} on {on}"));
        }
        for action in &self.actions {
            let Action {
                what, owner, due, ..
            } = action;
            let state = match &action.done {
                Some(done) => format!("done {done}"),
                None => "open".into(),
            };
            lines.push(format!("action for {owner} by {due}: {what} ({state})"));
        }
        lines.extend(self.notes.clone());
        lines
    }
}

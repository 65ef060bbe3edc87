//! Sites as a table (RFC 4180) with the columns `site`, `class`, `users`, `circuits`, `carrier`
//! and `data_centre`, in any order; others are left out.
//!
//! Sites with the same class, circuits, carrier and data centre are one class. Several carriers
//! are separated by `/`, one for each circuit. What users do is not in such a table: they are
//! given one journey, to their data centre.

use super::{Inventory, Names, plain, quoted};
use indexmap::IndexMap;

const COLUMNS: [&str; 6] = [
    "site",
    "class",
    "users",
    "circuits",
    "carrier",
    "data_centre",
];

/// Class, circuits, carriers, data centre.
type Kind = (String, u32, String, String);

pub(super) fn read(text: &str) -> Result<Inventory, String> {
    let mut rows = rows(text).into_iter();
    let head = rows.next().ok_or("the table is empty")?.1;
    let column = |name: &str| {
        head.iter()
            .position(|h| h.trim().eq_ignore_ascii_case(name))
    };
    let mut at = [0; 6];
    for (i, name) in COLUMNS.iter().enumerate() {
        at[i] = column(name).ok_or_else(|| {
            format!(
                "there is no column `{name}`; needed are {}",
                COLUMNS.join(", ")
            )
        })?;
    }
    let mut out = Inventory::named("sites");
    for other in head
        .iter()
        .filter(|h| !COLUMNS.iter().any(|c| h.trim().eq_ignore_ascii_case(c)))
    {
        out.drop(format!("column `{}`", other.trim()));
    }
    let mut kinds: IndexMap<Kind, (u32, u64)> = IndexMap::new();
    for (line, row) in rows {
        let cell = |i: usize| row.get(at[i]).map_or("", |c| c.trim());
        let number = |i: usize| {
            cell(i).parse::<u64>().map_err(|_| {
                format!(
                    "line {line}: `{}` of column `{}` is no whole number",
                    cell(i),
                    COLUMNS[i]
                )
            })
        };
        let (users, circuits) = (number(2)?, number(3)?);
        if circuits == 0 || circuits > 16 {
            return Err(format!(
                "line {line}: a site has 1 to 16 circuits, not {circuits}"
            ));
        }
        let kind = (
            plain(cell(1)),
            circuits as u32,
            cell(4).to_owned(),
            plain(cell(5)),
        );
        let sum = kinds.entry(kind).or_default();
        *sum = (sum.0 + 1, sum.1.saturating_add(users));
    }
    let mut names = Names::default();
    for (kind, (sites, users)) in &kinds {
        class(&mut out, &mut names, kind, *sites, *users);
    }
    Ok(out)
}

fn class(out: &mut Inventory, names: &mut Names, kind: &Kind, sites: u32, users: u64) {
    let (class, circuits, carriers, centre) = kind;
    let name = names.of(&format!("{class} {circuits} {carriers} {centre}"));
    // The first of a class has its plain name.
    let name = if out.has("nodes", class) {
        name
    } else {
        class.clone()
    };
    out.add("domains", centre, "{kind: data-centre}".to_owned());
    out.add(
        "nodes",
        &format!("{centre}-edge"),
        format!("{{kind: router, in: [{centre}]}}"),
    );
    out.add("nodes", &name, format!("{{kind: site, count: {sites}}}"));
    let carriers: Vec<String> = carriers.split('/').map(plain).collect();
    for circuit in 1..=*circuits {
        let carrier = &carriers[(circuit as usize - 1).min(carriers.len() - 1)];
        out.add("domains", carrier, "{kind: supplier}".to_owned());
        out.add(
            "links",
            &format!("{name}-{circuit}"),
            format!("{{between: [{name}, {centre}-edge], in: [{carrier}]}}"),
        );
    }
    out.add(
        "services",
        centre,
        format!("{{replicas: {{a: {{at: {centre}-edge}}}}}}"),
    );
    out.assume(
        &format!("services.{centre}"),
        "stands for all that users reach in this data centre",
    );
    out.add(
        "journeys",
        &format!("use-{centre}"),
        format!("{{calls: [{centre}]}}"),
    );
    out.assume(
        &format!("journeys.use-{centre}"),
        "what users do is not in the table",
    );
    if users > 0 {
        out.add(
            "populations",
            &format!("{name}-users"),
            format!(
                "{{at: {{{}: {users}}}, makes: {{use-{centre}: 1/h}}}}",
                quoted(&name)
            ),
        );
    }
}

/// Lines with their numbers, and cells; quoted cells may hold commas, quotes and line ends.
fn rows(text: &str) -> Vec<(usize, Vec<String>)> {
    let (mut rows, mut row, mut cell) = (Vec::new(), Vec::new(), String::new());
    let (mut within, mut line, mut first) = (false, 1, 1);
    let mut chars = text.trim_start_matches('\u{feff}').chars().peekable();
    while let Some(c) = chars.next() {
        line += usize::from(c == '\n');
        match c {
            '"' if within && chars.peek() == Some(&'"') => {
                chars.next();
                cell.push('"');
            }
            '"' => within = !within,
            ',' if !within => row.push(std::mem::take(&mut cell)),
            '\r' if !within => {}
            '\n' if !within => {
                row.push(std::mem::take(&mut cell));
                rows.push((first, std::mem::take(&mut row)));
                first = line;
            }
            c => cell.push(c),
        }
    }
    row.push(cell);
    rows.push((first, row));
    rows.retain(|r| r.1.iter().any(|c| !c.trim().is_empty()));
    rows
}

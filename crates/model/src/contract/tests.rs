//! The published vectors, each with its arithmetic, and what must hold of every record.

use super::*;
use crate::file::{LoadOptions, MemorySource, load_contract};
use crate::finding::LossResult;
use crate::journal::USER;
use proptest::prelude::*;
use std::path::Path;

/// The template of the Model Services Contract, with variations.
fn model(sets: &[&str]) -> Contract {
    let text = include_str!("../../../../contracts/model-services.yaml");
    contract(text, sets)
}

fn contract(text: &str, sets: &[&str]) -> Contract {
    let source = MemorySource::new([("c.yaml", text)]);
    let options = LoadOptions {
        sets: sets.iter().map(ToString::to_string).collect(),
        ..LoadOptions::default()
    };
    let read = load_contract(&source, Path::new("c.yaml"), &options);
    read.unwrap_or_else(|problems| panic!("{problems}")).0
}

const USERS: u64 = 1_000;

const JANUARY: Period = Period {
    from: Month {
        year: 2019,
        month: 1,
    },
    months: 1,
};

/// Hours out from `from` (an hour of January 2019) for a share in thousandths, by a cause.
fn row(from: i64, hours: i64, out: u64, cause: &str) -> LossResult {
    let out = out * USER;
    LossResult {
        from: Nanos::hours(from),
        to: Nanos::hours(from + hours),
        out,
        degraded: 0,
        sites: 1,
        by: vec![(cause.into(), out)],
        degraded_by: Vec::new(),
    }
}

/// January 2019 with these losses of court staff's sign-in.
fn january(rows: Vec<LossResult>) -> Record {
    let cause = |id: &str, owners: &[&str]| Cause {
        id: id.into(),
        target: "link/hub-n".into(),
        owners: owners.iter().map(ToString::to_string).collect(),
        detected: Some(Nanos::hours(15 * 24 + 9)),
        reported: None,
    };
    let pair = |population: &str, journey: &str, rows| Pair {
        population: population.into(),
        journey: journey.into(),
        users: USERS,
        sites: 4,
        measured: true,
        tested_on: "observed",
        rows,
    };
    Record {
        topology: "moj".into(),
        scenario: "january".into(),
        engine: "observed".into(),
        start: "2019-01-01T00:00:00Z".parse().unwrap(),
        end: Nanos::hours(744),
        resolution: Nanos::ZERO,
        pairs: vec![
            pair("court-staff", "sign-in", rows),
            pair("cjsm-users", "send-secure-email", Vec::new()),
        ],
        causes: vec![
            cause("hub", &["atos"]),
            cause("mail", &["egress"]),
            cause("duct", &["atos", "egress"]),
        ],
    }
}

/// So many thousandths out from 08:00 to 18:00 on a day of January.
fn day(day: i64, out: u64) -> LossResult {
    row((day - 1) * 24 + 8, 10, out, "hub")
}

/// So many thousandths of court staff reached what they were promised in January.
fn achieved(contract: &Contract, rows: Vec<LossResult>) -> PeriodResult {
    let credits = reckon(contract, &january(rows));
    credits.levels[0].months.last().unwrap().clone()
}

/// 22 working days of ten hours: 1 January is a holiday.
#[test]
fn a_court_that_is_down_for_four_days_of_january_reaches_81_82_percent() {
    // 4 x 10 of 220 core hours: 180 / 220 = 0.8181…
    let rows = [16, 17, 18, 21].map(|d| day(d, 1_000)).to_vec();
    let exact = model(&["levels.court-sign-in.round=null"]);
    let result = achieved(&exact, rows);
    assert_eq!(result.achieved_text, "81.82%");
    let shares = result.shares.unwrap();
    assert_eq!(shares.hours, Nanos::hours(220));
    assert_eq!(shares.counted, Nanos::hours(40));
}

#[test]
fn without_its_bank_holiday_january_has_230_core_hours() {
    let rows = [16, 17, 18, 21].map(|d| day(d, 1_000)).to_vec();
    let none = model(&["levels.court-sign-in.round=null", "holidays=none"]);
    // 190 / 230 = 82.608…
    assert_eq!(achieved(&none, rows).achieved_text, "82.61%");
}

#[test]
fn the_restoration_of_january_weighted_by_users() {
    let exact = model(&["levels.court-sign-in.round=null"]);
    let curve = |first: u64| {
        let mut rows = [16, 17, 18, 21].map(|d| day(d, first)).to_vec();
        // 75, 90, 97 and 100 % on the 22nd to the 25th.
        rows.extend([day(22, 250), day(23, 100), day(24, 30)]);
        rows
    };
    // 40 + 2.5 + 1 + 0.3 = 43.8 h of 220: 80.0909…
    assert_eq!(achieved(&exact, curve(1_000)).achieved_text, "80.09%");
    // 20 + 3.8 = 23.8 h: 89.1818…
    assert_eq!(achieved(&exact, curve(500)).achieved_text, "89.18%");
}

/// 7 h 42 min of 220 h are 3.5 %.
fn three_and_a_half_percent() -> Vec<LossResult> {
    let mut row = day(16, 1_000);
    row.to = row.from + Nanos::mins(7 * 60 + 42);
    vec![row]
}

#[test]
fn a_repeated_failure_doubles_its_points() {
    // 96.5 % is Severe: 3; then 98.5 % is Minor: 1 x 2; then 96.5 % again: 3 x 2.
    let contract = model(&[
        "earlier=[{month: 2018-11, level: court-sign-in, achieved: 96.5%}, \
         {month: 2018-12, level: court-sign-in, achieved: 98.5%}]",
    ]);
    let credits = reckon(&contract, &january(three_and_a_half_percent()));
    let points: Vec<u64> = credits.levels[0].months.iter().map(|m| m.points).collect();
    assert_eq!(points, [3, 2, 6]);
    assert_eq!(credits.levels[0].months[2].achieved_text, "96.5%");
    // A month that reaches its target resets: 3, then nothing, then 3.
    let reset = model(&[
        "earlier=[{month: 2018-11, level: court-sign-in, achieved: 96.5%}, \
         {month: 2018-12, level: court-sign-in, achieved: 99%}]",
    ]);
    let credits = reckon(&reset, &january(three_and_a_half_percent()));
    let points: Vec<u64> = credits.levels[0].months.iter().map(|m| m.points).collect();
    assert_eq!(points, [3, 0, 3]);
}

#[test]
fn quarters_add_hours_and_charges_of_three_months() {
    let four_days = || january([16, 17, 18, 21].map(|d| day(d, 1_000)).to_vec());
    let mut sets = vec![
        "measurement_period=quarter",
        "levels.court-sign-in.round=null",
        "levels.secure-email=null",
        "earlier=[{month: 2018-08, achieved: 96.5%}]",
    ];
    // From November 2017 on: 22, 19 (without 25 and 26 December) and 22 days of ten hours, of
    // which 40 hours are lost: 590 / 630 = 93.650…; 4 points, doubled by the quarter before.
    let credits = reckon(&model(&sets), &four_days());
    let [before, now] = credits.months.as_slice() else {
        panic!("{:?}", credits.months);
    };
    let level = &credits.levels[0].months[1];
    assert_eq!(now.month.to_string(), "2018-11/2019-01");
    assert_eq!((level.achieved_text.as_str(), level.points), ("93.65%", 8));
    let shares = level.shares.as_ref().expect("measured");
    assert_eq!(
        (shares.hours, shares.observed),
        (Nanos::hours(630), Nanos::hours(220))
    );
    // 3 and 8 points x 0.5 % of three months' charges, 3,000,000.
    assert_eq!(
        (before.due, now.due),
        (Some(Money(4_500_000)), Some(Money(12_000_000)))
    );
    assert!(
        level
            .arithmetic
            .iter()
            .any(|(_, text)| text.contains("the quarter before"))
    );
    // Without a first day quarters begin with the year: 22, 20 and 21 days, 630 hours too.
    sets[3] = "from=null";
    let credits = reckon(&model(&sets), &four_days());
    assert_eq!(credits.months[0].month.name(), "January to March 2019");
    assert_eq!(credits.levels[0].months[0].achieved_text, "93.65%");
}

#[test]
fn a_quarter_before_is_named_by_its_first_month() {
    let text = include_str!("../../../../contracts/model-services.yaml");
    let source = MemorySource::new([("c.yaml", text)]);
    let sets = [
        "measurement_period=quarter",
        "earlier=[{month: 2018-09, level: court-sign-in, achieved: 96.5%}]",
    ];
    let options = LoadOptions {
        sets: sets.map(String::from).to_vec(),
        ..LoadOptions::default()
    };
    let refused = load_contract(&source, Path::new("c.yaml"), &options);
    let said = refused.expect_err("refused").to_string();
    assert!(
        said.contains("lies within August to October 2018"),
        "{said}"
    );
    assert!(said.contains("here `2018-08`"), "{said}");
}

#[test]
fn every_band_has_its_points_and_the_gap_between_two_is_rounded_away() {
    let contract = model(&[]);
    for (parts, points) in [
        (990, 0),
        (989, 1),
        (980, 1),
        (979, 2),
        (970, 2),
        (969, 3),
        (960, 3),
        (959, 4),
        (0, 4),
    ] {
        let share = level::Fraction {
            part: parts,
            whole: 1_000,
        };
        let result = level::of_share(&contract.levels[0], JANUARY, share, None);
        assert_eq!(result.points, points, "{parts}");
    }
    // 98.95 % rounds up to 99.0 %, 98.949 % down to 98.9 %.
    let of = |part| {
        let share = level::Fraction {
            part,
            whole: 100_000,
        };
        level::of_share(&contract.levels[0], JANUARY, share, None).points
    };
    assert_eq!((of(98_950), of(98_949)), (0, 1));
}

#[test]
fn points_become_credits_up_to_the_cap() {
    // 6 points x 0.5 % of 1,000,000.
    let sets = [
        "earlier=[{month: 2018-11, level: court-sign-in, achieved: 96.5%}, \
         {month: 2018-12, level: court-sign-in, achieved: 98.5%}]",
        "levels.secure-email=null",
    ];
    let credits = reckon(&model(&sets), &january(three_and_a_half_percent()));
    let due: Vec<Option<Money>> = credits.months.iter().map(|m| m.due).collect();
    let money = |pounds: i128| Some(Money(pounds * 100));
    assert_eq!(due, [money(15_000), money(10_000), money(30_000)]);
    // A cap of 0.2 % of the twelve months before, 12,000,000, is 24,000: 15,000, then 9,000 of
    // 10,000, then nothing. The points stay.
    let capped = [sets[0], sets[1], "cap.rolling=0.2%"];
    let credits = reckon(&model(&capped), &january(three_and_a_half_percent()));
    let due: Vec<Option<Money>> = credits.months.iter().map(|m| m.due).collect();
    assert_eq!(due, [money(15_000), money(9_000), money(0)]);
    assert_eq!(credits.months[2].points, 6);
    let at_cap = credits
        .critical
        .iter()
        .find(|c| c.clause.contains("cap"))
        .unwrap();
    assert!(at_cap.happened);
}

#[test]
fn in_the_first_year_the_cap_is_of_its_estimated_charges() {
    // 0.1 % of the estimated 12,000,000 is 12,000, and January's 3 points come to 15,000.
    let sets = ["from=2018-06-15", "cap.first_year=0.1%"];
    let credits = reckon(&model(&sets), &january(three_and_a_half_percent()));
    assert_eq!(credits.months[0].due, Some(Money(1_200_000)));
    // Its first year over, the twelve months before count: 10 % of 12,000,000 is more.
    let sets = ["from=2018-01-01", "cap.first_year=0.1%"];
    let credits = reckon(&model(&sets), &january(three_and_a_half_percent()));
    assert_eq!(credits.months[0].due, Some(Money(1_500_000)));
}

#[test]
fn fifty_points_in_three_months_are_critical() {
    let earlier = |points: &str| {
        let bands = format!("levels.court-sign-in.bands=[{{at_least: 0%, points: {points}}}]");
        let contract = model(&[
            "earlier=[{month: 2018-11, level: court-sign-in, achieved: 90%}, \
             {month: 2018-12, level: court-sign-in, achieved: 90%}]",
            &bands,
        ]);
        let credits = reckon(&contract, &january(three_and_a_half_percent()));
        credits.critical[0].clone()
    };
    // 10 + 20 + 20, and 9 + 18 + 18.
    assert!(earlier("10").happened);
    let not = earlier("9");
    assert!(
        !not.happened && not.arithmetic.contains("45"),
        "{}",
        not.arithmetic
    );
}

fn call_off(sets: &[&str]) -> Contract {
    contract(include_str!("../../../../contracts/call-off.yaml"), sets)
}

#[test]
fn what_is_missing_to_98_percent_is_credited() {
    // A quarter of the month out for all: 75 % reached, 98 - 75 = 23 % of the charges.
    let mut rows = Vec::new();
    for d in 1..=31 {
        rows.push(day(d, 250));
    }
    let credits = reckon(&call_off(&["cap=null"]), &january(rows));
    let month = &credits.levels[0].months[0];
    assert_eq!((month.achieved_text.as_str(), month.credit), ("75%", 0.23));
    assert_eq!(credits.months[0].due, Some(Money(23_000_000)));
}

#[test]
fn more_than_24_core_hours_in_three_months_are_critical() {
    let four_days = [16, 17, 18, 21].map(|d| day(d, 1_000)).to_vec();
    let credits = reckon(&call_off(&[]), &january(four_days.clone()));
    let happened: Vec<bool> = credits.critical.iter().map(|c| c.happened).collect();
    // 40 h: more than 24 in three months, not more than 48 in twelve; the cap of 20 % of
    // 12,000,000 is not reached by 16.18 % of 1,000,000.
    assert_eq!(happened, [true, false, false]);
    assert!(credits.critical[0].arithmetic.starts_with("40h"));
    assert!(
        credits
            .notes
            .iter()
            .any(|note| note.contains("do not accrue"))
    );
    // 24 h exactly is not more than 24.
    let mut exactly = vec![day(16, 1_000), day(17, 1_000), day(18, 1_000)];
    exactly[2].to = exactly[2].from + Nanos::hours(4);
    let credits = reckon(&call_off(&[]), &january(exactly.clone()));
    assert!(!credits.critical[0].happened);
    exactly[2].to += Nanos(1);
    assert!(reckon(&call_off(&[]), &january(exactly)).critical[0].happened);
    // Nights and the 40 % who were out do not make it a loss.
    let partly = [16, 17, 18, 21].map(|d| day(d, 400)).to_vec();
    let credits = reckon(&call_off(&[]), &january(partly));
    assert!(!credits.critical[0].happened);
}

#[test]
fn only_the_owner_of_the_faulted_element_answers() {
    let exact = model(&["levels.court-sign-in.round=null"]);
    let rows = vec![
        row(15 * 24 + 8, 10, 1_000, "hub"),
        row(16 * 24 + 8, 10, 1_000, "mail"),
        row(17 * 24 + 8, 10, 1_000, "duct"),
        row(20 * 24 + 8, 10, 1_000, ""),
    ];
    let result = achieved(&exact, rows);
    let shares = result.shares.unwrap();
    let of = |name: &str| {
        let part = shares.owners.iter().find(|part| part.owner == name);
        part.map(|part| part.lost)
    };
    // The duct is both's, half each; what no fault explains is nobody's.
    assert_eq!(of("atos"), Some(Nanos::hours(15)));
    assert_eq!(of("egress"), Some(Nanos::hours(15)));
    assert_eq!(of("nobody"), Some(Nanos::hours(10)));
    assert_eq!(
        (shares.lost, shares.counted),
        (Nanos::hours(40), Nanos::hours(15))
    );
    // (220 - 15) / 220, beside (220 - 40) / 220.
    assert_eq!(result.achieved_text, "93.18%");
    assert!((shares.as_users_had_it - 180.0 / 220.0).abs() < 1e-12);
}

#[test]
fn a_level_that_only_a_missing_owner_keeps_is_not_met() {
    let contract = model(&[]);
    let result = achieved(&contract, vec![row(15 * 24 + 8, 10, 1_000, "")]);
    assert_eq!((result.status, result.points), (Stated::Inconclusive, 0));
    // Ten minutes of it would change nothing.
    let mut little = row(15 * 24 + 8, 10, 1_000, "");
    little.to = little.from + Nanos::mins(10);
    assert_eq!(achieved(&contract, vec![little]).status, Stated::Met);
}

#[test]
fn maintenance_with_notice_leaves_the_month_and_without_it_does_not() {
    let window = "kind: permitted-maintenance, from: 2019-01-16T08:00, to: 2019-01-16T18:00";
    let with = |more: &str| {
        let set = format!("exclusions=[{{id: works, {window}{more}}}]");
        let contract = model(&["levels.court-sign-in.round=null", &set]);
        let rows = vec![day(16, 1_000), day(17, 1_000)];
        let credits = reckon(&contract, &january(rows));
        let month = credits.levels[0].months[0].clone();
        (month.achieved_text, credits.notes)
    };
    // 10 of 210 h, where both approval and five days' notice are there.
    let (figure, _) = with(", approved_by: owner, notified: 2019-01-11T08:00");
    assert_eq!(figure, "95.24%");
    // Otherwise 20 of 220.
    for (more, why) in [
        (
            ", approved_by: owner, notified: 2019-01-11T08:01",
            "5d is due",
        ),
        (", approved_by: owner", "no notice"),
        (", notified: 2019-01-11T08:00", "nobody approved"),
    ] {
        let (figure, notes) = with(more);
        assert_eq!(figure, "90.91%");
        assert!(notes.iter().any(|note| note.contains(why)), "{notes:?}");
    }
}

#[test]
fn relief_leaves_the_hours_and_takes_the_downtime_of_a_fault() {
    let contract = model(&[
        "levels.court-sign-in.round=null",
        "exclusions=[{kind: relief, faults: hub, approved_by: owner}]",
    ]);
    let mut rows = vec![day(16, 1_000)];
    rows.push(row(16 * 24 + 8, 10, 1_000, "duct"));
    let result = achieved(&contract, rows);
    let shares = result.shares.unwrap();
    assert_eq!(
        (shares.relief, shares.counted),
        (Nanos::hours(10), Nanos::hours(5))
    );
    // 215 / 220.
    assert_eq!(result.achieved_text, "97.73%");
}

#[test]
fn the_clock_may_start_when_it_is_noticed_or_reported() {
    let figure = |sets: &[&str]| {
        let mut all = vec!["levels.court-sign-in.round=null"];
        all.extend(sets);
        let credits = reckon(&model(&all), &january(vec![day(16, 1_000)]));
        let month = &credits.levels[0].months[0];
        (month.shares.clone().unwrap().counted, credits.notes)
    };
    let clock = |starts: &str| format!("levels.court-sign-in.clock={{starts: {starts}}}");
    // Noticed at 09:00, an hour after it began; reported at 10:30.
    assert_eq!(figure(&[&clock("fault")]).0, Nanos::hours(10));
    assert_eq!(figure(&[&clock("detected")]).0, Nanos::hours(9));
    let report = "reports={hub: 2019-01-16T10:30}";
    assert_eq!(figure(&[&clock("reported"), report]).0, Nanos::mins(450));
    // Never reported: it counts from its beginning, and that is said.
    let (counted, notes) = figure(&[&clock("reported")]);
    assert_eq!(counted, Nanos::hours(10));
    assert!(
        notes
            .iter()
            .any(|note| note.contains("hub was never reported"))
    );
}

#[test]
fn sites_and_the_service_are_weighed_by_time() {
    let figure = |sets: &[&str]| {
        let mut all = vec!["levels.court-sign-in.round=null"];
        all.extend(sets);
        achieved(&model(&all), vec![day(16, 400)]).achieved_text
    };
    // 40 % of users for 10 h: 4 of 220; one of four sites: 2.5 of 220; anybody out: 10 of 220.
    assert_eq!(figure(&[]), "98.18%");
    assert_eq!(
        figure(&["levels.court-sign-in.weighting=site-minutes"]),
        "98.86%"
    );
    let service = "levels.court-sign-in.weighting=service-minutes";
    assert_eq!(figure(&[service]), "95.45%");
    // 60 % served is not below 50 %, and is below 61 %.
    assert_eq!(figure(&[service, "levels.court-sign-in.level=50%"]), "100%");
    assert_eq!(
        figure(&[service, "levels.court-sign-in.level=61%"]),
        "95.45%"
    );
}

#[test]
fn what_a_contingency_serves_counts_as_far_as_the_contract_says() {
    let mut paper = row(15 * 24 + 8, 10, 0, "hub");
    paper.degraded = 400 * USER;
    paper.degraded_by = vec![("hub".into(), paper.degraded)];
    paper.by = Vec::new();
    let figure = |counts: &str| {
        let set = format!("levels.court-sign-in.degraded_counts={counts}");
        let contract = model(&["levels.court-sign-in.round=null", &set]);
        achieved(&contract, vec![paper.clone()]).achieved_text
    };
    // 4 h of 220, half of them, none.
    assert_eq!(figure("true"), "98.18%");
    assert_eq!(figure("50%"), "99.09%");
    assert_eq!(figure("false"), "100%");
}

#[test]
fn a_figure_that_is_not_known_well_enough_decides_nothing() {
    let contract = model(&["levels.court-sign-in.round=null"]);
    let with = |resolution: Nanos, on: &'static str| {
        let mut record = january(three_and_a_half_percent());
        (record.resolution, record.pairs[0].tested_on) = (resolution, on);
        reckon(&contract, &record).levels[0].months[0].clone()
    };
    // 96.5 % lies 1.1 h above the band's end: an hour at each edge is too much, a second is not.
    assert_eq!(with(Nanos::hours(1), "real").status, Stated::Inconclusive);
    assert_eq!(with(Nanos::secs(1), "real").status, Stated::Missed);
    // On stand-ins no clause rests.
    let stand_in = with(Nanos::secs(1), "stand-in");
    assert_eq!(stand_in.status, Stated::Inconclusive);
    assert!(
        stand_in
            .arithmetic
            .iter()
            .any(|(_, text)| text.contains("stand-ins"))
    );
}

#[test]
fn a_level_about_nobody_is_not_met() {
    let contract = model(&["levels.court-sign-in.population=juries"]);
    let result = achieved(&contract, Vec::new());
    assert_eq!(
        (result.status, result.achieved),
        (Stated::Inconclusive, None)
    );
}

#[test]
fn a_cloud_agreement_credits_by_band() {
    let text = include_str!("../../../../contracts/cloud-sla.yaml");
    let mut record = january(Vec::new());
    record.pairs[0].journey = "email".into();
    record.causes[0].owners = vec!["microsoft".into()];
    // 744 h: 0.5 h is 99.93 %, 1 h 99.87 %, 10 h 98.66 %, 40 h 94.62 %.
    for (minutes, credit) in [(30, 0.0), (60, 0.25), (600, 0.5), (2_400, 1.0)] {
        let mut out = row(100, 1, 1_000, "hub");
        out.to = out.from + Nanos::mins(minutes);
        record.pairs[0].rows = vec![out];
        let credits = reckon(&contract(text, &[]), &record);
        assert_eq!(credits.levels[0].months[0].credit, credit, "{minutes}");
    }
}

proptest! {
    #[test]
    fn parts_sum_to_the_whole_and_nobody_else_pays(
        rows in prop::collection::vec((0i64..700, 1i64..40, 1u64..=1_000, 0usize..4), 0..12),
        weighting in prop::sample::select(vec!["user-minutes", "site-minutes", "service-minutes"]),
    ) {
        let mut all: Vec<LossResult> = Vec::new();
        let mut at = 0;
        for (gap, hours, out, cause) in rows {
            let from = at + gap % 60;
            if from + hours > 744 { break; }
            all.push(row(from, hours, out, ["hub", "mail", "duct", ""][cause]));
            at = from + hours;
        }
        let set = format!("levels.court-sign-in.weighting={weighting}");
        let credits = reckon(&model(&[&set]), &january(all));
        let shares = credits.levels[0].months[0].shares.clone().unwrap();
        let owners: Nanos = shares.owners.iter().map(|part| part.lost).sum();
        prop_assert_eq!(owners, shares.lost);
        let ways = shares.counted + shares.maintenance + shares.relief + shares.before_clock + shares.others;
        prop_assert_eq!(ways, shares.lost);
        let ours: Nanos = shares.owners.iter().filter(|p| p.supplier).map(|p| p.lost).sum();
        prop_assert!((ours - shares.counted).0.abs() <= 2, "{ours} {}", shares.counted);
        prop_assert!(shares.lost <= shares.hours);
    }

    #[test]
    fn any_verdict_gives_a_record_or_an_error(text in "[0-9a-z=| -]{0,60}") {
        let verdict = serde_json::json!({
            "schema": "assize/verdict/v1", "engine": "observed", "topology": "t", "scenario": "s",
            "start": "2019-01-01T00:00:00Z", "end": "2019-02-01T00:00:00Z", "faults": [],
            "populations": [{"id": "p", "users": 5, "sites": 1, "journeys":
                [{"id": "j", "availability_all_hours": 1.0, "losses": [text]}]}],
        });
        let _ = Record::read(&verdict);
    }
}

//! Incidents as people write them down, judged and held against contracts.

use super::*;
use crate::calendar::{Calendar, Holidays};
use crate::contract::{Credits, Record, reckon};
use crate::file::{LoadOptions, MemorySource, load_contract};
use crate::finding::{Status, VerdictKind};
use proptest::prelude::*;
use std::path::Path;

fn london() -> Calendar {
    Calendar {
        zone: crate::calendar::zone("Europe/London").unwrap(),
        holidays: Holidays::EnglandAndWales,
    }
}

fn contract() -> Contract {
    let text = include_str!("../../../../contracts/model-services.yaml");
    let source = MemorySource::new([("c.yaml", text)]);
    let options = LoadOptions {
        sets: vec!["levels.court-sign-in.round=null".into()],
        ..LoadOptions::default()
    };
    let read = load_contract(&source, Path::new("c.yaml"), &options);
    read.unwrap_or_else(|problems| panic!("{problems}")).0
}

/// Judged without a topology, under the template.
fn judged(text: &str) -> Result<(Outcome, Credits), Problems> {
    let observed = read_csv("incident.csv", text, &london())?;
    let contract = contract();
    let frame = Frame {
        contract: Some(&contract),
        ..Frame::default()
    };
    let outcome = judge(&observed, frame)?;
    let verdict = serde_json::to_value(&outcome).unwrap();
    let record = Record::read(&verdict).unwrap_or_else(|why| panic!("{why}"));
    let credits = reckon(&contract, &record);
    Ok((outcome, credits))
}

fn january(first: &str) -> String {
    format!(
        "population,journey,from,to,share,cause,owner\n\
         court-staff,sign-in,2019-01-16T08:00,2019-01-22T08:00,{first},core,atos\n\
         court-staff,sign-in,2019-01-22T08:00,2019-01-23T08:00,25%,core,atos\n\
         court-staff,sign-in,2019-01-23T08:00,2019-01-24T08:00,10%,core,atos\n\
         court-staff,sign-in,2019-01-24T08:00,2019-01-25T08:00,3%,core,atos\n\
         cjsm-users,send-secure-email,2019-01-16T22:00,2019-01-18T10:00,12.5%,mail store,egress\n"
    )
}

#[test]
fn january_2019_reaches_80_09_or_89_18_percent_of_its_core_hours() {
    for (first, reached, lost) in [
        // 40 + 2.5 + 1 + 0.3 = 43.8 of 220 core hours; 20 + 3.8 = 23.8.
        ("100%", "80.09%", Nanos::mins(2_628)),
        ("50%", "89.18%", Nanos::mins(1_428)),
    ] {
        let (outcome, credits) = judged(&january(first)).unwrap_or_else(|p| panic!("{p}"));
        assert_eq!(
            (outcome.engine, outcome.verdict),
            ("observed", VerdictKind::Fail)
        );
        let finding = outcome
            .findings
            .iter()
            .find(|f| f.objective == "court-sign-in")
            .unwrap();
        assert_eq!(
            (finding.status, finding.tested_on),
            (Status::Missed, "observed")
        );
        let two_places = reached.trim_end_matches('%');
        assert!(
            finding.measured_text.starts_with(two_places),
            "{}",
            finding.measured_text
        );
        let month = &credits.levels[0].months[0];
        assert_eq!(month.achieved_text, reached);
        assert_eq!(month.shares.as_ref().unwrap().counted, lost);
    }
}

#[test]
fn the_network_is_its_owner_s_and_the_mail_store_another_s() {
    let (_, credits) = judged(&january("50%")).unwrap();
    let of = |level: usize| {
        let shares = credits.levels[level].months[0].shares.clone().unwrap();
        let owners = shares.owners.iter().map(|p| (p.owner.clone(), p.lost));
        (owners.collect::<Vec<_>>(), shares.lost, shares.counted)
    };
    let network = Nanos::mins(1_428);
    assert_eq!(
        of(0),
        (vec![("atos".to_string(), network)], network, network)
    );
    // An eighth for the 12 core hours from 22:00 on the 16th to 10:00 on the 18th: the 17th, and
    // two hours of the 18th. None of it is Atos's.
    let mail = Nanos::mins(90);
    assert_eq!(
        of(1),
        (vec![("egress".to_string(), mail)], mail, Nanos::ZERO)
    );
    assert_eq!(credits.levels[1].months[0].points, 0);
}

#[test]
fn causes_that_cannot_be_told_apart_share_the_time() {
    let text = "population,journey,from,to,share,cause,owner\n\
        court-staff,sign-in,2019-01-16T08:00,2019-01-16T12:00,100%,core,atos\n\
        court-staff,sign-in,2019-01-16T12:00,2019-01-16T16:00,100%,core+duct,\n\
        court-staff,sign-in,2019-01-16T16:00,2019-01-16T18:00,50%,duct,digger\n";
    let (_, credits) = judged(text).unwrap_or_else(|p| panic!("{p}"));
    let shares = credits.levels[0].months[0].shares.clone().unwrap();
    // Atos 4 h and half of 4 h; the digger half of 4 h and half of 2 h.
    let owners: Vec<(String, Nanos)> = shares
        .owners
        .iter()
        .map(|p| (p.owner.clone(), p.lost))
        .collect();
    assert_eq!(
        owners,
        [
            ("atos".into(), Nanos::hours(6)),
            ("digger".into(), Nanos::hours(3))
        ]
    );
    assert_eq!(shares.lost, Nanos::hours(9));
}

#[test]
fn reports_start_the_clock() {
    let text = "population,journey,from,to,cause,owner,reported\n\
        court-staff,sign-in,2019-01-16T08:00,2019-01-16T12:00,core,atos,2019-01-16T09:31\n";
    let observed = read_csv("i.csv", text, &london()).unwrap();
    let mut contract = contract();
    contract.levels[0].clock = crate::contract::Clock::Reported;
    let frame = Frame {
        contract: Some(&contract),
        ..Frame::default()
    };
    let outcome = judge(&observed, frame).unwrap();
    let record = Record::read(&serde_json::to_value(&outcome).unwrap()).unwrap();
    let credits = reckon(&contract, &record);
    let shares = credits.levels[0].months[0].shares.clone().unwrap();
    assert_eq!(shares.before_clock, Nanos::mins(91));
    assert_eq!(shares.counted, Nanos::mins(149));
}

#[test]
fn a_row_that_cannot_be_used_is_told_with_its_place_and_a_remedy() {
    let head = "population,journey,from,to,share,cause\n";
    for (text, line, what, help) in [
        ("", 0, "empty", "names the columns"),
        (
            "populatoin,from,to\n",
            1,
            "`populatoin` is not a column",
            "population",
        ),
        (
            "from,to\nx,y\n",
            1,
            "no column `population`",
            "what each row is about",
        ),
        ("p,s,2019-01-16T08:00,2019-01-16T09:00,1,x", 2, "", ""),
        (
            "p,s,2019-01-16T08:00,2019-01-16T09:00,1,x,y",
            2,
            "7 cells for 6 columns",
            "quotes",
        ),
        (
            "p,s,2019-01-16T08:00,yesterday,1,x",
            2,
            "`yesterday` is not an instant",
            "2019-01-22",
        ),
        ("p,s,2019-01-16T08:00,,1,x", 2, "`to` is missing", ""),
        (
            "p,s,2019-01-16T08:00,2019-01-16T07:00,1,x",
            2,
            "ends before it begins",
            "",
        ),
        (
            "p,s,2019-01-16T08:00,2019-01-16T09:00,120%,x",
            2,
            "`120%` is not a share",
            "at most",
        ),
        (
            "p,s,2019-01-16T08:00,2019-01-16T09:00,10%,",
            2,
            "has a `cause`",
            "link/hub-n",
        ),
        (
            ",s,2019-01-16T08:00,2019-01-16T09:00,1,x",
            2,
            "one `population` or one `service`",
            "",
        ),
        (
            "\"p,s,2019-01-16T08:00,2019-01-16T09:00,1,x",
            2,
            "a quote is not closed",
            "doubled",
        ),
        (
            "p,s,2019-01-16T08:00,2019-01-16T09:00,1,x\np,s,2019-01-16T08:30,2019-01-16T10:00,1,y",
            3,
            "overlaps the one on line 2",
            "joined by `+`",
        ),
    ] {
        let whole = if line == 2 || line == 3 {
            format!("{head}{text}\n")
        } else {
            text.into()
        };
        match judged(&whole) {
            Ok(_) => assert!(what.is_empty(), "{whole}"),
            Err(Problems(problems)) => {
                let problem = &problems[0];
                assert!(!what.is_empty() && problem.what.contains(what), "{problem}");
                assert_eq!(problem.line, line, "{problem}");
                assert!(problem.help.contains(help), "{problem}");
            }
        }
    }
}

#[test]
fn an_answer_of_prometheus_is_as_exact_as_its_step() {
    // A sample every minute from 08:00 on; served 1, 0.5, 0.5, 1.
    let at = 1_547_625_600;
    let answer = |values: &str| {
        format!(
            r#"{{"status": "success", "data": {{"resultType": "matrix", "result": [{{"metric":
            {{"population": "court-staff", "journey": "sign-in", "cause": "core", "owner": "atos"}},
            "values": [{values}]}}]}}}}"#
        )
    };
    let good = answer(&format!(
        "[{at},\"1\"],[{},\"0.5\"],[{},\"0.5\"],[{},\"1\"]",
        at + 60,
        at + 120,
        at + 180
    ));
    let observed = read_prometheus("p.json", &good).unwrap_or_else(|p| panic!("{p}"));
    assert_eq!(observed.resolution, Nanos::mins(1));
    let outcome = judge(&observed, Frame::default()).unwrap_or_else(|p| panic!("{p}"));
    let journey = &outcome.populations[0].journeys[0];
    let spans: Vec<(Nanos, Nanos, f64)> = journey
        .outages
        .iter()
        .map(|o| (o.from_offset, o.to_offset, o.share))
        .collect();
    assert_eq!(spans, [(Nanos::mins(1), Nanos::mins(3), 0.5)]);
    assert_eq!(outcome.faults[0].owners, ["atos"]);
    assert_eq!(outcome.resolution, Nanos::mins(1));
    // Where two samples are missing nobody looked, and a figure that rests on it decides nothing.
    let gap = answer(&format!(
        "[{at},\"1\"],[{},\"0.5\"],[{},\"1\"],[{},\"NaN\"]",
        at + 60,
        at + 240,
        at + 300
    ));
    let observed = read_prometheus("p.json", &gap).unwrap();
    assert_eq!(observed.gaps.len(), 1);
    let contract = contract();
    let frame = Frame {
        contract: Some(&contract),
        ..Frame::default()
    };
    let outcome = judge(&observed, frame).unwrap_or_else(|p| panic!("{p}"));
    assert_eq!(
        outcome.findings[0].status,
        Status::Inconclusive,
        "{:?}",
        outcome.findings[0]
    );
    for bad in [
        "",
        "{}",
        &answer("[1,\"2\"],[61,\"1\"]"),
        &answer("[1,\"1\"]"),
    ] {
        assert!(read_prometheus("p.json", bad).is_err(), "{bad}");
    }
}

proptest! {
    #[test]
    fn any_text_gives_rows_or_problems(text in "(population|service|from|to|cause|share|,|\"|\n|2019-01-16T0[0-9]:00|p|1%|\\+){0,60}") {
        if let Ok(observed) = read_csv("x.csv", &text, &london()) {
            let _ = judge(&observed, Frame::default());
        }
        let _ = read_prometheus("x.json", &text);
    }
}

/// Ten courts, whose staff are all out or a part of them.
const COURTS: &str = "assize: topology/v1\nnodes: {crown: {kind: site, count: 10}, \
    core: {kind: switch, in: [acme]}}\ndomains: {acme: {kind: supplier}}\n\
    links: {wan: {between: [[crown], core]}}\nservices: {app: {replicas: {a: {at: core}}}}\n\
    journeys: {sign-in: {calls: [app]}}\naccess: {wired: {via: [wan]}}\n\
    populations: {staff: {at: {crown: 1000}, access: [wired], makes: {sign-in: 1/h}}}\n\
    contract: {supplier: [acme], levels: {sign-in: {target: 99%, weighting: site-minutes, \
    credit: shortfall}}}\n";

/// What site-minutes come to in January.
fn by_sites(rows: &str) -> Result<String, Problems> {
    let source = MemorySource::new([("t.yaml", COURTS)]);
    let read = crate::file::load_topology(&source, Path::new("t.yaml"), &LoadOptions::default());
    let (topology, _) = read.unwrap_or_else(|problems| panic!("{problems}"));
    let contract = topology.contract.clone().expect("a contract");
    let text = format!("population,from,to,share,cause,owner,sites\n{rows}");
    let observed = read_csv("incident.csv", &text, &london())?;
    let frame = Frame {
        topology: Some(&topology),
        contract: Some(&contract),
        ..Frame::default()
    };
    let verdict = serde_json::to_value(judge(&observed, frame)?).expect("JSON");
    let record = Record::read(&verdict).unwrap_or_else(|why| panic!("{why}"));
    let credits = reckon(&contract, &record);
    Ok(credits.levels[0].months[0].achieved_text.clone())
}

#[test]
fn rows_that_count_sites_are_weighed_by_them() {
    // 72 of 744 hours at all ten sites: 90.3225…; at two of them: 98.0645…
    let days = "2019-01-08T00:00,2019-01-11T00:00";
    let row = |sites: &str| format!("staff,{days},20%,core,acme,{sites}\n");
    assert_eq!(by_sites(&row("")).expect("judged"), "90.32%");
    assert_eq!(by_sites(&row("2")).expect("judged"), "98.06%");
    // Rows that meet, alike in all but their sites: 24 h at 2, 48 h at 4 of 10 are 24 whole
    // hours of 744.
    let two = "staff,2019-01-08T00:00,2019-01-09T00:00,20%,core,acme,2\n\
               staff,2019-01-09T00:00,2019-01-11T00:00,20%,core,acme,4\n";
    assert_eq!(by_sites(two).expect("judged"), "96.77%");
    let said = by_sites(&row("11")).expect_err("refused").to_string();
    assert!(
        said.contains("`staff` sits at 10 sites, not at 11"),
        "{said}"
    );
    let said = by_sites(&row("none")).expect_err("refused").to_string();
    assert!(said.contains("is not a number of sites"), "{said}");
}

//! What Prometheus answers to a range query: a matrix of served shares from 0 to 1.
//!
//! Each series has the label `population` or `service`, and as wanted `journey`, `cause`,
//! `owner`. A sample holds until the next; where samples are missing, nobody looked.

use super::{About, Observed, Row};
use crate::file::{Problems, sha256};
use assize_fault::{Nanos, Ppb};
use jiff::Timestamp;
use serde_json::Value;

/// The most samples of one answer.
const MOST_SAMPLES: usize = 2_000_000;

/// Reads an answer.
///
/// # Errors
/// Why it cannot be used, and what to do.
pub fn read(file: &str, text: &str) -> Result<Observed, Problems> {
    let wrong = |what: String, help: &str| Problems::of_file(file, what, help);
    let value: Value = serde_json::from_str(text)
        .map_err(|error| wrong(format!("it is not JSON: {error}"), ""))?;
    const RANGE: &str = "give the answer to `/api/v1/query_range`, a matrix";
    if value["status"] != "success" || value["data"]["resultType"] != "matrix" {
        return Err(wrong(
            "it is no successful answer to a range query".into(),
            RANGE,
        ));
    }
    let list = value["data"]["result"]
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    let mut observed = Observed {
        file: file.to_string(),
        digest: sha256(text.as_bytes()),
        ..Observed::default()
    };
    let mut all = Vec::new();
    let mut count = 0;
    for (series, number) in list.iter().zip(1u32..) {
        let samples =
            samples(series).map_err(|why| wrong(format!("series {number}: {why}"), RANGE))?;
        count += samples.len();
        if count > MOST_SAMPLES {
            let help = "ask with a longer `step`";
            return Err(wrong(
                format!("there are more than {MOST_SAMPLES} samples"),
                help,
            ));
        }
        all.push((series, number, samples));
    }
    let gaps = |samples: &[(Timestamp, Ppb)]| -> Vec<i128> {
        let pairs = samples.windows(2);
        pairs
            .map(|p| p[1].0.as_nanosecond() - p[0].0.as_nanosecond())
            .collect()
    };
    let step = all.iter().flat_map(|(_, _, samples)| gaps(samples)).min();
    let Some(step) = step else {
        return Err(wrong("no series has two samples".into(), RANGE));
    };
    observed.resolution = Nanos(i64::try_from(step).unwrap_or(Nanos::NEVER.0));
    for (series, number, samples) in &all {
        let labels = &series["metric"];
        rows(labels, *number, samples, observed.resolution, &mut observed).map_err(|why| {
            wrong(
                format!("series {number}: {why}"),
                "label it in the query, with `label_replace`",
            )
        })?;
    }
    Ok(observed)
}

fn samples(series: &Value) -> Result<Vec<(Timestamp, Ppb)>, String> {
    let values = series["values"].as_array().ok_or("it has no `values`")?;
    let mut samples: Vec<(Timestamp, Ppb)> = Vec::new();
    for pair in values {
        let seconds = pair[0].as_f64().ok_or("a sample has no time")?;
        let at = Timestamp::from_millisecond((seconds * 1_000.0) as i64)
            .map_err(|_| format!("{seconds} is no time"))?;
        let text = pair[1].as_str().ok_or("a sample has no value")?;
        // Not a number: nobody knows, as if the sample were missing.
        if text == "NaN" {
            continue;
        }
        let share = Ppb::parse(text)
            .map_err(|_| format!("the value `{text}` is no served share from 0 to 1"))?;
        if samples.last().is_some_and(|last| last.0 >= at) {
            return Err("its samples are not in order of time".into());
        }
        samples.push((at, share));
    }
    Ok(samples)
}

fn rows(
    labels: &Value,
    line: u32,
    samples: &[(Timestamp, Ppb)],
    step: Nanos,
    observed: &mut Observed,
) -> Result<(), String> {
    let label = |name: &str| labels[name].as_str().map(str::to_string);
    let about = match (label("population"), label("service")) {
        (Some(name), None) => About::Population(name),
        (None, Some(name)) => About::Service(name),
        _ => return Err("it has neither one label `population` nor one `service`".into()),
    };
    let after = |at: Timestamp| crate::calendar::after(at, step).unwrap_or(at);
    let mut rows: Vec<Row> = Vec::new();
    for (index, &(from, served)) in samples.iter().enumerate() {
        let next = samples.get(index + 1).map(|next| next.0);
        let due = after(from);
        let late = next.filter(|&next| next > after(due));
        let to = late.map_or(next.unwrap_or(due), |_| due);
        if let Some(next) = late {
            observed.gaps.push((due, next));
        }
        let share = served.complement();
        match rows.last_mut() {
            Some(last) if last.to == from && last.share == share => last.to = to,
            _ => rows.push(Row {
                line,
                text: String::new(),
                about: about.clone(),
                journey: label("journey"),
                from,
                to,
                share,
                causes: vec![label("cause").unwrap_or_else(|| "not-told".into())],
                owners: label("owner").into_iter().collect(),
                detected: None,
                reported: None,
                users: None,
                sites: None,
            }),
        }
    }
    observed.rows.append(&mut rows);
    Ok(())
}

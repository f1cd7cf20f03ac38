//! The table at the end of a run and its closing line.

use std::time::Duration;

use super::counts::Counts;

/// A run that takes longer is reported: people stop waiting for it.
const LONG: Duration = Duration::from_mins(25);

/// One line of the table.
pub struct Row {
    pub name: &'static str,
    pub took: Duration,
    pub counts: Counts,
    pub failure: Option<String>,
}

/// Prints the table and the closing line; true when nothing failed.
pub fn print(rows: &[Row]) -> bool {
    println!("\n{}", table(rows));
    if let Some(warning) = too_long(rows) {
        println!("{warning}");
    }
    println!("{}", closing(rows));
    rows.iter().all(|row| row.failure.is_none())
}

fn table(rows: &[Row]) -> String {
    let mut lines = vec![format!("{:10} {:>9} {:>7} {:>7}  outcome", "step", "seconds", "passed", "failed")];
    for row in rows {
        let outcome = row.failure.as_deref().map_or("ok", |failure| failure.lines().next().unwrap_or("failed"));
        let Counts { passed, failed } = row.counts;
        lines.push(format!("{:10} {:>9.1} {passed:>7} {failed:>7}  {outcome}", row.name, row.took.as_secs_f64()));
    }
    lines.join("\n")
}

fn too_long(rows: &[Row]) -> Option<String> {
    let took: Duration = rows.iter().map(|row| row.took).sum();
    let minutes = |time: Duration| time.as_secs_f64() / 60.0;
    (took > LONG).then(|| format!("TOO LONG: {:.1} minutes, more than {:.0}", minutes(took), minutes(LONG)))
}

fn closing(rows: &[Row]) -> String {
    let mut sum = Counts::default();
    for row in rows {
        sum += row.counts;
    }
    format!("{} passed, {} failed", sum.passed, sum.failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_of_more_than_25_minutes_is_told() {
        let row = |minutes| Row {
            name: "rust",
            took: Duration::from_mins(minutes),
            counts: Counts::default(),
            failure: None,
        };
        assert_eq!(too_long(&[row(20), row(5)]), None);
        assert_eq!(too_long(&[row(20), row(6)]).as_deref(), Some("TOO LONG: 26.0 minutes, more than 25"));
    }

    #[test]
    fn the_closing_line_sums_the_rows() {
        let row = |passed, failed, failure: Option<&str>| Row {
            name: "rust",
            took: Duration::from_millis(1500),
            counts: Counts { passed, failed },
            failure: failure.map(str::to_owned),
        };
        let rows = [row(12, 0, None), row(3, 2, Some("cargo test failed\nmore"))];
        assert_eq!(closing(&rows), "15 passed, 2 failed");
        assert!(table(&rows).contains("1.5      12       0  ok"));
        assert!(table(&rows).ends_with("cargo test failed"));
    }
}

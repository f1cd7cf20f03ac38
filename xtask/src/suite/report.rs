//! The table at the end of a run and its closing line.

use std::time::Duration;

use super::counts::Counts;

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

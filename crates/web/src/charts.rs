//! Charts as plain numbers for SVG attributes: no script, no inline style. Templates draw them, with a table behind each.

/// A count at a time.
#[derive(Clone, Debug, Default)]
pub struct Point {
    /// When, as shown: `22 Oct`.
    pub label: String,
    /// How many.
    pub value: u64,
}

impl Point {
    /// The count with its thousands apart.
    pub fn shown(&self) -> String {
        grouped(self.value)
    }
}

/// An area under a line: counts over time.
#[derive(Clone, Debug, Default)]
pub struct Area {
    /// What it shows, in a sentence for those who do not see it.
    pub label: String,
    /// What is counted, as a column head: `Calls`.
    pub unit: String,
    /// The counts, in order of time.
    pub points: Vec<Point>,
}

/// A drawing of an [`Area`] for one width. All figures are SVG user units.
pub struct Drawing {
    /// Width of the drawing.
    pub width: u32,
    /// Height of the drawing.
    pub height: u32,
    /// Where the plot begins, right of the labels.
    pub left: u32,
    /// Where the plot ends at the right.
    pub right: u32,
    /// Where the plot ends at the bottom.
    pub bottom: u32,
    /// Horizontal lines: height and label.
    pub grid: Vec<(f64, String)>,
    /// Labels below: x, how it is anchored, text.
    pub marks: Vec<(f64, &'static str, String)>,
    /// The line's path data.
    pub line: String,
    /// The area's path data.
    pub area: String,
    /// A strip over each point, for its title: x, width, text.
    pub strips: Vec<(f64, f64, String)>,
    /// The last point.
    pub end: (f64, f64),
}

const TOP: u32 = 10;
const STEPS: u32 = 3;

impl Area {
    /// The drawing for wide screens.
    pub fn wide(&self) -> Drawing {
        self.draw(960, 190, 44, 6)
    }

    /// The drawing for narrow screens, where text must not shrink.
    pub fn narrow(&self) -> Drawing {
        self.draw(320, 170, 40, 3)
    }

    fn draw(&self, width: u32, height: u32, left: u32, labels: usize) -> Drawing {
        let (right, bottom) = (width - 4, height - 26);
        let step = round_step(self.points.iter().map(|point| point.value).max().unwrap_or(0));
        let top_value = number(step) * f64::from(STEPS);
        let span = f64::from(bottom - TOP);
        let y = |value: f64| one_digit(f64::from(bottom) - span * value / top_value);
        let gap = f64::from(right - left) / number(self.points.len().saturating_sub(1).max(1) as u64);
        let x = |at: usize| one_digit(f64::from(left) + gap * number(at as u64));
        let places: Vec<_> =
            self.points.iter().enumerate().map(|(at, point)| (x(at), y(number(point.value)))).collect();
        let line = places.iter().map(|(x, y)| format!("{x} {y}")).collect::<Vec<_>>().join("L");
        let (first, end) = (places.first().copied().unwrap_or_default(), places.last().copied().unwrap_or_default());
        let grid = (0..=STEPS).map(|at| (y(number(step) * f64::from(at)), short(step * u64::from(at)))).collect();
        let strip = |(at, point): (usize, &Point)| {
            let (from, to) = ((x(at) - gap / 2.0).max(f64::from(left)), (x(at) + gap / 2.0).min(f64::from(right)));
            (
                one_digit(from),
                one_digit((to - from).max(1.0)),
                format!("{}: {} {}", point.label, grouped(point.value), self.unit.to_lowercase()),
            )
        };
        Drawing {
            width,
            height,
            left,
            right,
            bottom,
            grid,
            marks: self.marks(labels, x),
            area: format!("M{} {bottom}L{line}L{} {bottom}Z", first.0, end.0),
            line: format!("M{line}"),
            strips: self.points.iter().enumerate().map(strip).collect(),
            end,
        }
    }

    fn marks(&self, labels: usize, x: impl Fn(usize) -> f64) -> Vec<(f64, &'static str, String)> {
        let last = self.points.len().saturating_sub(1);
        let labels = labels.min(last + 1).max(2);
        let mut marks: Vec<(f64, &'static str, String)> = Vec::new();
        for mark in 0..labels {
            let at = mark * last / (labels - 1);
            let anchor = if at == 0 {
                "start"
            } else if at == last {
                "end"
            } else {
                "middle"
            };
            if let Some(point) =
                self.points.get(at).filter(|_| marks.last().is_none_or(|(before, _, _)| *before < x(at)))
            {
                marks.push((x(at), anchor, point.label.clone()));
            }
        }
        marks
    }
}

/// One of several lengths to compare.
#[derive(Clone, Debug, Default)]
pub struct Bar {
    /// What is measured.
    pub label: String,
    /// How long, against the others.
    pub value: u64,
    /// The value as shown: `1,204`.
    pub shown: String,
}

impl Bar {
    /// The share of the longest of `all`, in percent, at least 1 where there is anything.
    pub fn percent(&self, all: &[Self]) -> u64 {
        let longest = all.iter().map(|bar| bar.value).max().unwrap_or(0).max(1);
        if self.value == 0 { 0 } else { (self.value.saturating_mul(100) / longest).clamp(1, 100) }
    }
}

/// A small line without axes, 72 by 20 units.
#[derive(Clone, Debug, Default)]
pub struct Spark {
    /// What it shows, for those who do not see it.
    pub label: String,
    /// The counts, in order of time.
    pub values: Vec<u64>,
}

impl Spark {
    /// The line's path data.
    pub fn path(&self) -> String {
        let highest = number(self.values.iter().copied().max().unwrap_or(0).max(1));
        let gap = 68.0 / number(self.values.len().saturating_sub(1).max(1) as u64);
        let place = |(at, value): (usize, &u64)| {
            format!(
                "{} {}",
                one_digit(2.0 + gap * number(at as u64)),
                one_digit(18.0 - 16.0 * number(*value) / highest)
            )
        };
        format!("M{}", self.values.iter().enumerate().map(place).collect::<Vec<_>>().join("L"))
    }
}

/// The least round step (1, 2, 2.5 or 5 times a power of ten) of which [`STEPS`] reach `highest`.
fn round_step(highest: u64) -> u64 {
    let least = highest.div_ceil(u64::from(STEPS)).max(1);
    let mut power = 1u64;
    loop {
        for tenths in [10, 20, 25, 50] {
            let step = power.saturating_mul(tenths) / 10;
            if step >= least && (tenths != 25 || power > 1) {
                return step;
            }
        }
        match power.checked_mul(10) {
            Some(next) => power = next,
            None => return u64::MAX / u64::from(STEPS),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a chart is drawn in tenths of a pixel")]
fn number(value: u64) -> f64 {
    value as f64
}

fn one_digit(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

/// A count in few characters: `950`, `25 k`, `2.5 M`.
pub fn short(value: u64) -> String {
    let scaled = |unit: u64, name: &str| {
        let tenths = value.saturating_mul(10) / unit;
        if tenths.is_multiple_of(10) {
            format!("{} {name}", tenths / 10)
        } else {
            format!("{}.{} {name}", tenths / 10, tenths % 10)
        }
    };
    match value {
        0..1_000 => value.to_string(),
        1_000..1_000_000 => scaled(1_000, "k"),
        1_000_000..1_000_000_000 => scaled(1_000_000, "M"),
        _ => scaled(1_000_000_000, "G"),
    }
}

/// A count with its thousands apart: `12,480`.
pub fn grouped(value: u64) -> String {
    let digits = value.to_string();
    let mut shown = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn area(values: &[u64]) -> Area {
        let points = values.iter().map(|value| Point { label: format!("day {value}"), value: *value }).collect();
        Area { label: "Calls a day".into(), unit: "Calls".into(), points }
    }

    #[test]
    fn the_grid_is_round_and_holds_the_highest_count() {
        for (highest, step) in
            [(0, 1), (1, 1), (4, 2), (10, 5), (68_000, 25_000), (149, 50), (70, 25), (u64::MAX, u64::MAX / 3)]
        {
            assert_eq!(round_step(highest), step, "{highest}");
        }
    }

    #[test]
    fn every_point_is_inside_the_drawing() {
        for values in [&[][..], &[0], &[5], &[0, 0], &[3, 900, 12], &[u64::MAX, 1]] {
            let drawing = area(values).wide();
            assert!(
                drawing.end.0 <= f64::from(drawing.width) && drawing.end.1 <= f64::from(drawing.height),
                "{values:?}"
            );
            assert_eq!(drawing.strips.len(), values.len());
            assert!(!drawing.line.contains("NaN") && !drawing.line.contains("inf"), "{values:?}");
        }
    }

    #[test]
    fn marks_begin_and_end_at_the_edges_and_never_repeat() {
        let anchors: Vec<_> = area(&[1, 2, 3, 4, 5, 6, 7, 8]).wide().marks.into_iter().map(|mark| mark.1).collect();
        assert_eq!(anchors, ["start", "middle", "middle", "middle", "middle", "end"]);
        assert_eq!(area(&[1, 2]).wide().marks.len(), 2);
        assert_eq!(area(&[1]).wide().marks.len(), 1);
    }

    #[test]
    fn counts_read_well() {
        assert_eq!([short(950), short(25_000), short(2_500_000)], ["950", "25 k", "2.5 M"]);
        assert_eq!(
            [grouped(0), grouped(999), grouped(12_480), grouped(1_000_000)],
            ["0", "999", "12,480", "1,000,000"]
        );
    }

    #[test]
    fn a_bar_is_seen_where_there_is_anything() {
        let bars = [1, 1_000_000, 0].map(|value| Bar { value, ..Bar::default() });
        let shares = bars.each_ref().map(|bar| bar.percent(&bars));
        assert_eq!(shares, [1, 100, 0]);
    }
}

//! Metrics of one name side by side, as the format wants them.

use std::collections::BTreeMap;

use prometheus::proto::{Bucket, Counter, Gauge, Histogram, LabelPair, Metric, MetricFamily, MetricType};

/// A metric's name and what it means.
pub(super) type Help = (&'static str, &'static str);

/// How a metric may change.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// Up and down.
    Gauge,
    /// Up only.
    Counter,
}

/// Metrics by their name.
#[derive(Debug, Default)]
pub(super) struct Families(BTreeMap<&'static str, MetricFamily>);

impl Families {
    /// Adds a metric. No two of a name may have the same labels.
    pub(super) fn add(&mut self, help: Help, kind: Kind, labels: &[(&str, &str)], value: f64) {
        let mut metric = Metric::from_label(pairs(labels));
        let of_type = match kind {
            Kind::Gauge => {
                let mut gauge = Gauge::default();
                gauge.set_value(value);
                metric.set_gauge(gauge);
                MetricType::GAUGE
            }
            Kind::Counter => {
                let mut counter = Counter::default();
                counter.set_value(value);
                metric.set_counter(counter);
                MetricType::COUNTER
            }
        };
        self.push(help, of_type, metric);
    }

    /// Adds a histogram: `counts` has how many values were at most as large as each of `bounds`, and at last how many
    /// there were.
    pub(super) fn add_histogram(
        &mut self,
        help: Help,
        labels: &[(&str, &str)],
        bounds: &[f64],
        counts: &[u64],
        sum: f64,
    ) {
        let bucket = |(bound, count): (&f64, &u64)| {
            let mut bucket = Bucket::default();
            bucket.set_upper_bound(*bound);
            bucket.set_cumulative_count(*count);
            bucket
        };
        let mut histogram = Histogram::default();
        histogram.set_bucket(bounds.iter().zip(counts).map(bucket).collect());
        histogram.set_sample_count(counts.last().copied().unwrap_or(0));
        histogram.set_sample_sum(sum);
        let mut metric = Metric::from_label(pairs(labels));
        metric.set_histogram(histogram);
        self.push(help, MetricType::HISTOGRAM, metric);
    }

    fn push(&mut self, (name, help): Help, kind: MetricType, metric: Metric) {
        let family = self.0.entry(name).or_insert_with(|| {
            let mut family = MetricFamily::default();
            family.set_name(name.to_owned());
            family.set_help(help.to_owned());
            family.set_field_type(kind);
            family
        });
        family.mut_metric().push(metric);
    }

    /// All of them, by name.
    pub(super) fn into_vec(self) -> Vec<MetricFamily> {
        self.0.into_values().collect()
    }
}

fn pairs(labels: &[(&str, &str)]) -> Vec<LabelPair> {
    labels
        .iter()
        .map(|(name, value)| {
            let mut pair = LabelPair::default();
            pair.set_name((*name).to_owned());
            pair.set_value((*value).to_owned());
            pair
        })
        .collect()
}

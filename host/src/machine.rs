//! What the machine tells of itself: one list of names for services.yaml and the probes. Pure.

/// Something that the machine tells of itself without naming a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Machine {
    /// How full its filesystems are, and what is mounted where.
    Filesystems,
    /// Processor, memory, temperatures.
    System,
    /// Running processes.
    Processes,
    /// Units of systemd.
    Units,
}

impl Machine {
    /// All of them with their names in services.yaml.
    pub const ALL: [(&'static str, Machine); 4] = [
        ("filesystems", Machine::Filesystems),
        ("system", Machine::System),
        ("processes", Machine::Processes),
        ("units", Machine::Units),
    ];

    /// Its name in services.yaml.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, machine)| *machine == self).map_or("", |(name, _)| name)
    }
}

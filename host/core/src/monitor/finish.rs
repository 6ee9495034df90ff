//! What becomes of a finished check: it counts, something else explains it, or it is held until that is known.

use std::collections::BTreeSet;

use super::Monitor;
use crate::event::Effect;
use crate::schedule::Finished;
use crate::silence::{Ran, Silence, Verdict};
use crate::{Moment, Outcome, Service, ServiceId};

impl Monitor {
    pub(super) fn finish(
        &mut self,
        id: &ServiceId,
        outcome: Outcome,
        now: Moment,
        effects: &mut Vec<Effect>,
    ) {
        // Only what is pushed in comes while one is held. The older one counts as it is.
        if let Some(ran) = self.silence.release(id) {
            self.settle(id, ran, None, now, effects);
        }
        let index = self.index.get(id).copied();
        let began = index.and_then(|index| self.schedule.running_since(index)).unwrap_or(now.uptime);
        let ran = Ran { outcome, began, ended: now.uptime };
        self.judge(id, ran, now, effects);
        self.judge_held(id, now, effects);
    }

    /// Judges an outcome, and asks whom that takes.
    fn judge(&mut self, id: &ServiceId, ran: Ran, now: Moment, effects: &mut Vec<Effect>) {
        let watched = self.index.get(id).and_then(|index| self.watched.get(*index));
        let verdict = watched.map_or(Verdict::Counts, |watched| self.silence.judge(watched.service(), &ran));
        match verdict {
            Verdict::Counts => self.settle(id, ran, None, now, effects),
            Verdict::Explained(cause) => self.settle(id, ran, Some(&cause), now, effects),
            Verdict::Wait(unanswered) => {
                for index in unanswered.iter().filter_map(|id| self.index.get(id)) {
                    let running = self.schedule.running_since(*index);
                    if !running.is_some_and(|began| Silence::answers(began, ran.ended)) {
                        self.schedule.call(*index, now.uptime);
                    }
                }
                self.silence.hold(id, ran);
            }
        }
    }

    /// Looks again at what is held after this service has answered, and at what waits for those in turn.
    fn judge_held(&mut self, answered: &ServiceId, now: Moment, effects: &mut Vec<Effect>) {
        let mut answered = BTreeSet::from([answered.clone()]);
        while answered.iter().any(|id| self.silence.is_depended_on(id)) {
            let mut settled = BTreeSet::new();
            for id in self.silence.held() {
                if !self
                    .watched_by(&id)
                    .is_some_and(|it| it.depends_on.iter().any(|id| answered.contains(id)))
                {
                    continue;
                }
                let Some(ran) = self.silence.release(&id) else { continue };
                self.judge(&id, ran, now, effects);
                if self.silence.held_of(&id).is_none() {
                    settled.insert(id);
                }
            }
            answered = settled;
        }
    }

    fn watched_by(&self, id: &ServiceId) -> Option<&Service> {
        self.watched.get(*self.index.get(id)?).map(super::Watched::service)
    }

    /// The check is over, and its outcome counts or is explained.
    fn settle(
        &mut self,
        id: &ServiceId,
        ran: Ran,
        cause: Option<&str>,
        now: Moment,
        effects: &mut Vec<Effect>,
    ) {
        let index = self.index.get(id).copied();
        let finished = self.schedule.finish(id, index, now.uptime);
        let Some(index) = index.filter(|_| finished == Finished::Counts) else { return };
        let Some(watched) = self.watched.get_mut(index) else { return };
        self.silence.note(watched.service(), &ran, cause);
        let commit = match cause {
            Some(cause) => watched.observe_explained(ran.outcome, cause, now),
            None => watched.observe(ran.outcome, &mut self.next_incident, now),
        };
        effects.push(Effect::Commit(commit));
        self.speakers.set(index, watched.speaks_at());
        if cause.is_none() && self.silence.is_depended_on(id) {
            self.look_again(id, now);
        }
    }

    /// It has answered: those that were explained until now, and are not any more, are checked at once, since nobody
    /// knows how they are.
    fn look_again(&mut self, answered: &ServiceId, now: Moment) {
        for (index, watched) in self.watched.iter().enumerate() {
            let service = watched.service();
            let may_tell = watched.is_explained() && !self.silence.explains(service);
            if may_tell && service.depends_on.contains(answered) {
                self.schedule.call(index, now.uptime);
            }
        }
    }

    /// What nobody has explained in time counts as it is.
    pub(super) fn count_overdue(&mut self, now: Moment, effects: &mut Vec<Effect>) {
        while let Some(id) = self.silence.overdue(now.uptime) {
            let Some(ran) = self.silence.release(&id) else { return };
            self.settle(&id, ran, None, now, effects);
            self.judge_held(&id, now, effects);
        }
    }

    /// After a reload, which may have changed what depends on what: an outcome of a service that is gone counts for nothing.
    pub(super) fn judge_all_held(&mut self, now: Moment, effects: &mut Vec<Effect>) {
        for id in self.silence.held() {
            let Some(ran) = self.silence.release(&id) else { continue };
            if self.index.contains_key(&id) {
                self.judge(&id, ran, now, effects);
            } else {
                let _gone = self.schedule.finish(&id, None, now.uptime);
            }
        }
    }
}

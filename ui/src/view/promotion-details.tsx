import React, {useRef} from 'react'
import {getPromotion} from '../api/calls'
import type {Promotion, PromotionRecord} from '../api/wire'
import {text} from '../strings'
import {labelOf, onPromotion} from '../model/actions'
import {factsOf, phasesOf} from '../model/facts'
import {hasEnded, openPromotion, promotionView, type PromotionView, type StepView} from '../model/promotion'
import {CommitID} from './compare'
import {useDesk} from './desk'
import {useLoad} from './hooks'
import {Age, Button, Chip, Countdown, MarkIcon, Name, Notice, Offers, ProblemNotice, Said, Section, Skeleton} from './parts'
import {VerdictTree} from './verdict'
import {untilIn} from '../model/stage'
import type {Doing} from '../model/permalink'

// PromotionDetails shows one promotion as it goes on. While it is open, its record
// comes with the pipeline; its verdict, and what became of it, are asked for.
// In a dialog (`inDialog`) it leads nowhere else, and `plain` leaves the actions away.
export function PromotionDetails({id, fresh, plain, inDialog}: {id: string; fresh?: Promotion; plain?: boolean; inDialog?: boolean}) {
  const desk = useDesk()
  const {pipeline, session, go} = desk
  const open = openPromotion(pipeline, id)
  const stage = open ? open.stage : undefined
  // A promotion that runs is told whole by the pipeline, and one that ended changes no
  // more: it keeps the key with which it was found ended.
  const ended = useRef('')
  const key = open && open.record.phase === 'Running' ? '' : ended.current || `${id}@${open ? `${open.record.waiting} ${factsOf(pipeline, open.stage)}` : phasesOf(pipeline)}`
  const loaded = useLoad(key, r => getPromotion(session.caller, pipeline.name, id, r), id)
  if (loaded.value && !loaded.loading && hasEnded(loaded.value)) {
    ended.current = key
  }
  // What the pipeline told last is newer than what was asked for before.
  const last = useRef<PromotionRecord>()
  if (open) {
    last.current = open.record
  }
  const record = open ? {...(loaded.value || fresh), ...open.record} : loaded.loading && last.current ? {...fresh, ...last.current} : loaded.value || fresh
  if (!record) {
    return loaded.problem ? <ProblemNotice problem={loaded.problem} onAgain={loaded.again} /> : <Skeleton rows={6} />
  }
  const known = stage || pipeline.stages.find(s => s.name === record.stage)
  const view = promotionView(record, pipeline, known)
  const verdict = view.phase === 'Pending' && loaded.value ? loaded.value.verdict : undefined
  return (
    <div className='waybill-promotion'>
      <Head view={view} />
      {!plain && (
        <Offers
          offers={onPromotion(desk.actions, desk.viewer, record, known)}
          label={o => labelOf(o.name, record)}
          onPick={o => go({doing: o.name as Doing, target: id})}
        />
      )}
      <Waiting view={view} />
      {verdict && (
        <Section title={text.verdict.title}>
          <VerdictTree verdict={verdict} asked />
        </Section>
      )}
      {view.steps.length > 0 && (
        <Section title={text.promotion.progress}>
          <Steps steps={view.steps} />
        </Section>
      )}
      {view.results.length > 0 && <Results view={view} />}
      <Section title={text.promotion.events}>
        <Events view={view} />
      </Section>
      {view.phase !== 'Pending' && <Evidence view={view} />}
      {!plain && !inDialog && (
        <Button kind='quiet' icon='ship' onClick={() => go({tab: 'freight', freight: view.freight, promotion: '', stage: '', warehouse: ''})}>
          {text.freight.one} {view.alias}
        </Button>
      )}
    </div>
  )
}

function Head({view}: {view: PromotionView}) {
  return (
    <p className='waybill-promotion-head'>
      <PhaseChip view={view} />
      <strong>
        <Name of={view} />
      </strong>
      <span>
        <span className='waybill-quiet'>→</span> <strong>{view.stage}</strong>
      </span>
      {view.automatic && <Chip>{text.promotion.automatic}</Chip>}
      {view.rollback && <Chip tone='warn'>{text.promotion.rollback}</Chip>}
      {view.took && <span className='waybill-quiet'>{text.promotion.took(view.took)}</span>}
    </p>
  )
}

export function PhaseChip({view}: {view: {phase: string; phaseName: string}}) {
  const tones: Record<string, string> = {Pending: 'warn', Running: 'busy', Succeeded: 'good', Failed: 'bad', Errored: 'bad'}
  return <Chip tone={tones[view.phase]}>{view.phaseName}</Chip>
}

// Waiting tells for what a promotion waits, and what has gone wrong meanwhile.
export function Waiting({view}: {view: PromotionView}) {
  if (!view.waiting) {
    return null
  }
  const until = untilIn(view.waiting)
  return (
    <>
      <Notice tone='info' icon='clock'>
        <Said>{view.waiting}</Said> {until && <Countdown until={until} />}
      </Notice>
      {view.message && (
        <Notice tone='warn'>
          <Said>{view.message}</Said>
        </Notice>
      )}
    </>
  )
}

export function Steps({steps}: {steps: StepView[]}) {
  return (
    <ol className='waybill-steps' aria-live='polite'>
      {steps.map(s => (
        <li key={s.key} className={`waybill-step-${s.mark}`}>
          <MarkIcon mark={s.mark} />
          <div>
            <span>{s.name}</span>
            {s.message && <div className='waybill-quiet'>{s.message}</div>}
          </div>
          <span className='waybill-quiet' aria-live='off'>{s.took || (s.mark === 'busy' && s.startedAt ? <Age at={s.startedAt} /> : '')}</span>
        </li>
      ))}
    </ol>
  )
}

function Results({view}: {view: PromotionView}) {
  return (
    <Section title={text.promotion.results}>
      <ul className='waybill-steps'>
        {view.results.map(r => (
          <li key={r.key} className={`waybill-step-${r.mark}`}>
            <MarkIcon mark={r.mark} />
            <div>
              <span>{r.name}</span>
              {r.message && <div className='waybill-quiet'>{r.message}</div>}
            </div>
            {r.commit && (
              <span className='waybill-quiet'>
                <CommitID id={r.commit.id} link={r.commit.link} /> {r.commit.branch && text.promotion.onBranch(r.commit.branch)}
              </span>
            )}
          </li>
        ))}
      </ul>
    </Section>
  )
}

function Events({view}: {view: PromotionView}) {
  return (
    <ol className='waybill-events'>
      {view.events.map(e => (
        <li key={e.key}>
          <MarkIcon mark={e.mark} mute />
          <div>
            <span>{e.what}</span>
            {e.said && <q>{e.said}</q>}
            {e.note && <div className='waybill-quiet'>{e.note}</div>}
          </div>
          <span className='waybill-quiet'>
            <Age at={e.at} />
          </span>
        </li>
      ))}
    </ol>
  )
}

function Evidence({view}: {view: PromotionView}) {
  return (
    <Section title={text.promotion.evidence}>
      {view.evidence.length === 0 ? (
        <p className='waybill-quiet'>{text.promotion.noEvidence}</p>
      ) : (
        <ol className='waybill-events'>
          {view.evidence.map(e => (
            <li key={e.stage + e.at}>
              <MarkIcon mark='done' mute />
              <span>{text.promotion.verifiedIn(e.stage)}</span>
              <span className='waybill-quiet'>
                <Age at={e.at} />
              </span>
            </li>
          ))}
        </ol>
      )}
    </Section>
  )
}

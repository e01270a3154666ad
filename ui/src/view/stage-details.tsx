import React from 'react'
import type {Stage} from '../api/wire'
import {text} from '../strings'
import {labelOf, onPromotion, onStage, onTheWay} from '../model/actions'
import {person} from '../model/names'
import type {Doing} from '../model/permalink'
import {behind, calledIn, calledOf, failed, offered, sourcesOf} from '../model/stage'
import {age} from '../model/time'
import {promotionView} from '../model/promotion'
import {sentence} from '../api/problem'
import {root} from '../api/client'
import {useDesk} from './desk'
import {Disc, Icon} from './icon'
import {Age, Button, Chip, Field, HealthMark, Name, Notice, Offers, ProblemNotice, Section, Skeleton} from './parts'
import {Steps, Waiting} from './promotion-details'
import {VerdictTree} from './verdict'
import {useVerdict} from './verdicts'

export function StageDetails({stage, small}: {stage: Stage; small?: boolean}) {
  const {pipeline, actions, viewer, go} = useDesk()
  return (
    <div className='waybill-stage'>
      {!small && (
        <Offers offers={onStage(actions, viewer, stage)} label={o => labelOf(o.name)} onPick={o => go({doing: o.name as Doing, target: stage.name, pick: ''})} />
      )}
      {(stage.problems || []).map(p => (
        <Notice key={p} tone='bad'>
          {sentence(p)}
        </Notice>
      ))}
      {stage.last && !stage.running && failed(stage) && (
        <Notice
          tone='bad'
          title={text.status.failed}
          action={
            <Button kind='quiet' onClick={() => go({tab: 'history', promotion: stage.last!.promotion, stage: '', of: ''})}>
              {text.promotion.one}
            </Button>
          }>
          <Name of={calledIn(pipeline, stage, stage.last.freight)} />
        </Notice>
      )}
      {stage.running && <Running stage={stage} />}
      {(stage.pending || []).length > 0 && <Queue stage={stage} />}
      <Current stage={stage} />
      <Next stage={stage} />
      <Applications stage={stage} />
      {!small && <About stage={stage} />}
      {!small && <Before stage={stage} />}
      <Button kind='quiet' icon='queue' onClick={() => go({tab: 'history', of: stage.name, stage: '', promotion: ''})}>
        {text.stage.promotions}
      </Button>
    </div>
  )
}

function Running({stage}: {stage: Stage}) {
  const {pipeline, go} = useDesk()
  const view = promotionView(stage.running!, pipeline, stage)
  return (
    <Section
      title={text.stage.running}
      of={view}
      aside={
        <Button kind='quiet' onClick={() => go({tab: 'history', promotion: view.id, stage: '', of: ''})}>
          {text.promotion.one}
        </Button>
      }>
      <Steps steps={view.steps} />
    </Section>
  )
}

function Queue({stage}: {stage: Stage}) {
  const desk = useDesk()
  return (
    <Section title={text.stage.queueTitle}>
      <ol className='waybill-queue'>
        {(stage.pending || []).map(p => {
          const view = promotionView(p, desk.pipeline, stage)
          return (
            <li key={p.id}>
              <p className='waybill-promotion-head'>
                <button type='button' className='waybill-link' onClick={() => desk.go({tab: 'history', promotion: p.id, stage: '', of: ''})}>
                  <Name of={view} />
                </button>
                <span className='waybill-quiet'>
                  {view.by}, <Age at={view.at} />
                </span>
                {view.rollback && <Chip tone='warn'>{text.promotion.rollback}</Chip>}
              </p>
              {view.reason && <q>{view.reason}</q>}
              <Waiting view={view} />
              <Offers offers={onPromotion(desk.actions, desk.viewer, p, stage)} label={o => labelOf(o.name, p)} onPick={o => desk.go({doing: o.name as Doing, target: p.id})} />
            </li>
          )
        })}
      </ol>
    </Section>
  )
}

function Current({stage}: {stage: Stage}) {
  const {go} = useDesk()
  return (
    <Section title={text.stage.current}>
      {stage.current.length === 0 && <p className='waybill-quiet'>{stage.controlFlow ? text.stage.controlFlow : text.stage.empty}</p>}
      {stage.current.map(l => (
        <div className='waybill-load' key={l.origin}>
          <Disc name={l.verifiedAt ? 'check' : 'clock'} tone={l.verifiedAt ? 'good' : 'muted'} label={l.verifiedAt ? text.status.verified : text.status.notVerified} />
          <button type='button' className='waybill-link' onClick={() => go({tab: 'freight', freight: l.freight, stage: '', promotion: ''})}>
            <Name of={calledOf(l)} />
          </button>
          <span className='waybill-quiet'>
            {l.verifiedAt ? text.status.verified : text.status.notVerified}, {text.status.since('')}
            <Age at={l.since} />
          </span>
        </div>
      ))}
      {(stage.holds || []).map(h => (
        <Notice key={h.origin} tone='warn' title={text.stage.held}>
          {text.stage.heldBy(person(h.by), age(h.at, Date.now()))}
        </Notice>
      ))}
    </Section>
  )
}

// Next shows what the stage would get next, and the server's verdict on it. What waits for
// it, or goes into it, is shown there with its own.
function Next({stage}: {stage: Stage}) {
  const {pipeline} = useDesk()
  const held = new Set(stage.current.map(l => l.freight))
  const next = offered(pipeline, stage).filter(o => !held.has(o.freight))[0]
  const way = next ? onTheWay(stage, next.freight) : ''
  const verdict = useVerdict(stage, next && !way ? next.freight : '')
  if (!next) {
    return stage.current.length > 0 ? <p className='waybill-quiet'>{text.stage.nothingNext}</p> : null
  }
  const b = behind(pipeline, stage)
  return (
    <Section title={text.stage.next} of={calledIn(pipeline, stage, next.freight)} aside={b.n > 0 ? <span className='waybill-quiet'>{text.status.behind(b.n, b.more)}</span> : undefined}>
      {way ? <p className='waybill-quiet'>{text.stage[way]}</p> : verdict.value ? <VerdictTree verdict={verdict.value} /> : verdict.problem ? <ProblemNotice problem={verdict.problem} onAgain={verdict.again} /> : <Skeleton rows={3} />}
    </Section>
  )
}

function Applications({stage}: {stage: Stage}) {
  return (
    <Section title={text.stage.applications}>
      {stage.applications.length === 0 && <p className='waybill-quiet'>{stage.controlFlow ? text.stage.controlFlow : text.stage.noApplications}</p>}
      <ul className='waybill-plain'>
        {stage.applications.map(a => (
          <li key={a.namespace + '/' + a.name}>
            <HealthMark card={{health: a.health as 'Healthy', sync: a.sync as 'Synced'}} />
            <a href={`${root()}applications/${a.namespace}/${a.name}?view=${encodeURIComponent(text.view)}`} title={text.stage.openApplication(a.name)}>
              {a.name}
            </a>
            {!a.waybill && stage.current.length > 0 && <Chip tone='warn'>{text.stage.noWaybill}</Chip>}
            {a.trouble && <Notice tone='bad'>{sentence(a.trouble)}</Notice>}
          </li>
        ))}
      </ul>
    </Section>
  )
}

function About({stage}: {stage: Stage}) {
  return (
    <dl className='waybill-fields'>
      {sourcesOf(stage).map(s => (
        <Field key={s.origin} name={text.stage.source}>
          {s.words}
        </Field>
      ))}
      <Field name={text.stage.automation}>
        {stage.autoPromotion ? text.stage.autoTitle : text.stage.manual}
        {(stage.automation || []).map(a => a.why && <div key={a.origin} className='waybill-quiet'>{sentence(a.why)}</div>)}
      </Field>
      {stage.approval && <Field name={text.actions.approve}>{text.stage.approvals(stage.approval.required, stage.approval.notBy === 'promoter')}</Field>}
      {stage.branch && (
        <Field name={text.stage.branch}>
          <Icon name='commit' /> <code>{stage.branch}</code>
        </Field>
      )}
      <Field name={text.stage.steps}>{stage.steps.map(s => text.steps[s] || s).join(' → ')}</Field>
      <Field name={text.stage.started}>{text.stage.serial(stage.serial)}</Field>
    </dl>
  )
}

function Before({stage}: {stage: Stage}) {
  const {go} = useDesk()
  if (!stage.history || stage.history.length === 0) {
    return null
  }
  return (
    <Section title={text.stage.previous}>
      <ul className='waybill-plain'>
        {stage.history.map((l, i) => (
          <li key={i}>
            <Disc name={l.verifiedAt ? 'check' : 'minus'} tone={l.verifiedAt ? 'good' : 'muted'} label={l.verifiedAt ? text.status.verified : text.status.notVerified} />
            <button type='button' className='waybill-link' onClick={() => go({tab: 'history', promotion: l.promotion, stage: '', of: ''})}>
              <Name of={calledOf(l)} />
            </button>
            <span className='waybill-quiet'>
              <Age at={l.since} />
            </span>
          </li>
        ))}
      </ul>
    </Section>
  )
}

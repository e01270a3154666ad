import React, {type ReactNode} from 'react'
import {getFreight} from '../api/calls'
import type {Freight, Stage} from '../api/wire'
import {text} from '../strings'
import {onStage} from '../model/actions'
import {phasesOf} from '../model/facts'
import {candidatesOf, freightRow, onward} from '../model/freight'
import {short, type About, type Artifact} from '../model/names'
import {verdictView} from '../model/verdict'
import {useDesk} from './desk'
import {useLoad} from './hooks'
import {Icon} from './icon'
import {Age, Button, Chip, Copy, Field, GateIcon, ProblemNotice, Section, Skeleton} from './parts'
import {VerdictTree} from './verdict'
import {useVerdict} from './verdicts'

// FreightDetails shows a piece of freight: what is in it, where it is, and why it goes
// no further.
export function FreightDetails({id, known}: {id: string; known?: Freight}) {
  const {pipeline, session, go} = useDesk()
  const here = pipeline.freight.find(f => f.id === id) || known
  const loaded = useLoad(here ? '' : `${id}@${phasesOf(pipeline)}`, r => getFreight(session.caller, pipeline.name, id, r), id)
  const freight = here || loaded.value
  if (!freight) {
    return loaded.problem ? <ProblemNotice problem={loaded.problem} onAgain={loaded.again} /> : <Skeleton rows={6} />
  }
  const row = freightRow(freight, candidatesOf(pipeline))
  const next = onward(pipeline, freight)
  return (
    <div>
      {(row.summary || row.createdBy) && (
        <div className='waybill-chips'>
          {row.summary} {row.createdBy && <Chip>{text.freight.createdBy(row.createdBy)}</Chip>}
          {row.reason && <q>{row.reason}</q>}
        </div>
      )}
      <Section title={text.freight.artifacts}>
        <ul className='waybill-artifacts'>
          {row.artifacts.map(a => (
            <OneArtifact key={a.kind + a.name + a.pin} artifact={a} />
          ))}
        </ul>
      </Section>
      <dl className='waybill-fields'>
        <Field name={text.freight.where}>
          {row.stages.length === 0
            ? text.freight.nowhere
            : row.stages.map(s => (
                <Button key={s} kind='quiet' onClick={() => go({tab: 'pipeline', stage: s, freight: ''})}>
                  {s}
                </Button>
              ))}
        </Field>
        {row.passed.length > 0 && <Field name={text.freight.was}>{row.passed.join(', ')}</Field>}
        <Field name={text.freight.age}>
          <Age at={row.at} />
        </Field>
        <Field name={text.freight.origin}>
          {row.origin} {row.candidate && <Chip tone='busy'>{text.promote.candidate}</Chip>}
        </Field>
        <Field name={text.freight.id}>
          <code>{short(row.id)}</code> <Copy value={row.id} label={text.freight.id} />
        </Field>
      </dl>
      <Section title={text.freight.onward}>
        {next.length === 0 && <p className='waybill-quiet'>{text.freight.nowhereOn}</p>}
        {pipeline.stages
          .filter(s => next.includes(s.name))
          .slice(0, 8)
          .map(s => (
            <Onward key={s.name} stage={s} freight={row.id} />
          ))}
      </Section>
    </div>
  )
}

function OneArtifact({artifact: a}: {artifact: Artifact}) {
  return (
    <li>
      <div className='waybill-image'>
        <Icon name={a.kind} label={text.freight[a.kind]} /> <span>{a.name}</span>
        {a.version && <code>{a.version}</code>}
        {a.about.appVersion && <span className='waybill-quiet'>{text.freight.appVersion(a.about.appVersion)}</span>}
      </div>
      {a.pin && (
        <div className='waybill-pin'>
          <Linked to={a.link}>
            <code>{a.pin}</code>
          </Linked>
          <Copy value={a.pin} label={a.name} />
        </div>
      )}
      <Known about={a.about} />
    </li>
  )
}

// Known is what is known of an artifact: nothing draws nothing.
function Known({about: k}: {about: About}) {
  return (
    <>
      {(k.subject || k.author) && (
        <div className='waybill-known'>
          {k.subject && <q>{k.subject}</q>}
          <span className='waybill-quiet'>
            {k.author}
            {k.at && (
              <>
                {k.author && ', '}
                <Age at={k.at} />
              </>
            )}
          </span>
        </div>
      )}
      {k.source && (
        <div className='waybill-known'>
          <span className='waybill-quiet'>{text.freight.builtFrom}</span> <Linked to={k.sourceLink}>{k.source}</Linked>
        </div>
      )}
    </>
  )
}

const Linked = ({to, children}: {to: string; children: ReactNode}) =>
  to ? (
    <a href={to} target='_blank' rel='noopener noreferrer'>
      {children}
    </a>
  ) : (
    <>{children}</>
  )

// Onward is the server's verdict on a stage that the freight may reach next.
function Onward({stage, freight}: {stage: Stage; freight: string}) {
  const {actions, viewer, go} = useDesk()
  const verdict = useVerdict(stage, freight)
  if (!verdict.value) {
    return verdict.problem ? <ProblemNotice problem={verdict.problem} onAgain={verdict.again} /> : <Skeleton rows={1} />
  }
  const {state} = verdictView(verdict.value)
  const promote = onStage(actions, viewer, stage).find(o => o.name === 'promote')
  const words = {pass: text.freight.ready, wait: text.freight.allowed, fail: text.freight.blocked}[state]
  return (
    <details className='waybill-onward' open={state === 'fail'}>
      <summary>
        <GateIcon state={state} /> <strong>{stage.name}</strong> {words}
      </summary>
      <VerdictTree verdict={verdict.value} />
      {state !== 'fail' && promote && (
        <Button kind='primary' why={promote.why} onClick={() => go({doing: 'promote', target: stage.name, pick: freight})}>
          {text.freight.promoteTo(stage.name)}
        </Button>
      )}
    </details>
  )
}

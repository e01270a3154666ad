import React, {useState, type ReactNode} from 'react'
import {loginPage} from '../api/client'
import type {Problem} from '../api/problem'
import {text} from '../strings'
import type {Offer} from '../model/actions'
import type {Card} from '../model/stage'
import {age, brief, duration, moment} from '../model/time'
import type {Called} from '../model/names'
import type {Mark} from '../model/promotion'
import type {GateState} from '../model/verdict'
import {useNow} from './hooks'
import {Disc, Icon, type IconName} from './icon'

export function Age({at}: {at: string}) {
  const now = useNow(10000)
  return (
    <time dateTime={at} title={moment(at)}>
      {age(at, now)}
    </time>
  )
}

const instant = /\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)/

// Said is a sentence of the server's, with its moments as the reader's clock has them.
export function Said({children}: {children: string}) {
  const at = instant.exec(children)
  if (!at) {
    return <>{children}</>
  }
  return (
    <>
      {children.slice(0, at.index)}
      <time dateTime={at[0]} title={at[0]}>
        {brief(at[0])}
      </time>
      <Said>{children.slice(at.index + at[0].length)}</Said>
    </>
  )
}

// Countdown counts down to a moment that the server told.
export function Countdown({until, say = text.verdict.left}: {until: string; say?: (t: string) => string}) {
  const now = useNow(1000)
  const left = Date.parse(until) - now
  return (
    <time dateTime={until} title={moment(until)} className='waybill-countdown'>
      {left > 0 ? say(duration(left)) : text.verdict.due}
    </time>
  )
}

export function Button(p: {
  children: ReactNode
  onClick?: () => void
  kind?: 'primary' | 'plain' | 'danger' | 'quiet'
  icon?: IconName
  disabled?: boolean
  busy?: boolean
  why?: string
  submit?: boolean
  label?: string
}) {
  // A button that cannot be used now keeps its place in the tab order and says why.
  const off = p.disabled || p.busy || !!p.why
  return (
    <button
      type={p.submit ? 'submit' : 'button'}
      className={`waybill-button waybill-button-${p.kind || 'plain'}`}
      aria-disabled={off || undefined}
      aria-label={p.label}
      title={p.why || p.label}
      onClick={e => {
        if (off) {
          e.preventDefault()
        } else if (p.onClick) {
          p.onClick()
        }
      }}>
      {p.busy ? <Icon name='ring' /> : p.icon ? <Icon name={p.icon} /> : null}
      {p.children}
      {p.why && <span className='waybill-hidden'> ({p.why})</span>}
    </button>
  )
}

// Offers draws the actions that the server offers.
export function Offers({offers, label, onPick}: {offers: Offer[]; label: (o: Offer) => string; onPick: (o: Offer) => void}) {
  if (offers.length === 0) {
    return null
  }
  const kinds: Record<string, 'primary' | 'danger' | 'plain'> = {promote: 'primary', approve: 'primary', reject: 'danger', abort: 'danger'}
  return (
    <div className='waybill-actions' role='group' aria-label={text.actions.label}>
      {offers.map(o => (
        <Button key={o.name} kind={kinds[o.name] || 'plain'} why={o.why} onClick={() => onPick(o)}>
          {label(o)}
        </Button>
      ))}
    </div>
  )
}

const noticeIcons = {bad: 'warning', warn: 'warning', info: 'info', good: 'check'} as const

export function Notice({tone, title, children, action, icon}: {tone: keyof typeof noticeIcons; title?: string; children?: ReactNode; action?: ReactNode; icon?: IconName}) {
  return (
    <div className={`waybill-notice waybill-notice-${tone}`} role={tone === 'bad' ? 'alert' : 'status'}>
      <Icon name={icon || noticeIcons[tone]} />
      <div>
        {title && <strong>{title}</strong>}
        {children && <div>{children}</div>}
      </div>
      {action}
    </div>
  )
}

// ProblemNotice tells why a call failed, and of one that is `polled`, or that a person
// `asked` for, what comes of it.
export function ProblemNotice({problem, call, onAgain}: {problem: Problem; call?: 'polled' | 'asked'; onAgain?: () => void}) {
  return (
    <Notice tone={problem.kind === 'no-access' || problem.kind === 'not-bound' ? 'info' : 'bad'} title={problem.title} action={onAgain && <Button onClick={onAgain}>{text.tryAgain}</Button>}>
      <Said>{problem.detail}</Said> {call && problem.unanswered && text.problem[call]}
      {problem.kind === 'signed-out' && (
        <div>
          <a href={loginPage()}>{text.problem.signIn}</a>
        </div>
      )}
    </Notice>
  )
}

export function Empty({title, hint, icon}: {title: string; hint?: string; icon?: IconName}) {
  return (
    <div className='waybill-empty'>
      <Icon name={icon || 'ship'} />
      <strong>{title}</strong>
      {hint && <span>{hint}</span>}
    </div>
  )
}

export function Loading({what}: {what?: string}) {
  return (
    <div className='waybill-loading' role='status'>
      <Icon name='ring' /> {what || text.loading}
    </div>
  )
}

// Skeleton holds the place of what is loaded, so that nothing jumps.
export function Skeleton({rows}: {rows: number}) {
  return (
    <div className='waybill-skeleton' role='status' aria-label={text.loading}>
      {Array.from({length: rows}, (_, i) => (
        <i key={i} style={{width: `${90 - ((i * 17) % 45)}%`}} />
      ))}
    </div>
  )
}

export function Chip({children, tone, title, icon}: {children: ReactNode; tone?: string; title?: string; icon?: IconName}) {
  return (
    <span className={`waybill-chip${tone ? ' waybill-chip-' + tone : ''}`} title={title}>
      {icon && <Icon name={icon} />}
      <span className='waybill-alias'>{children}</span>
    </span>
  )
}

export function Search({value, onChange, label}: {value: string; onChange: (v: string) => void; label: string}) {
  return (
    <span className='waybill-search'>
      <Icon name='search' />
      <input type='search' value={value} placeholder={label} aria-label={label} onChange={e => onChange(e.target.value)} />
    </span>
  )
}

// Copy copies a value, or the link of the page. Browsers let a page do so only over HTTPS:
// elsewhere there is nothing to click.
export function Copy({value, label, page}: {value: string; label: string; page?: boolean}) {
  const [done, setDone] = useState(false)
  if (!navigator.clipboard) {
    return null
  }
  const copy = () => void navigator.clipboard.writeText(value).then(() => setDone(true), () => undefined)
  return (
    <button type='button' className='waybill-copy' aria-label={`${label}: ${text.copy}`} title={done ? text.copied : text.copy} onClick={copy} onBlur={() => setDone(false)}>
      <Icon name={done ? 'check' : page ? 'link' : 'copy'} />
    </button>
  )
}

export function HealthMark({card}: {card: Pick<Card, 'health' | 'sync'>}) {
  const health: Record<string, [IconName, string]> = {
    Healthy: ['heart', 'good'],
    Progressing: ['ring', 'busy'],
    Degraded: ['heart-broken', 'bad'],
    Suspended: ['hand', 'muted'],
    Missing: ['warning', 'warn'],
    Unknown: ['unknown', 'muted'],
  }
  const [name, tone] = health[card.health] || health.Unknown
  return (
    <span className='waybill-health'>
      {card.health && <Icon name={name} tone={tone} label={card.health} />}
      {card.sync && <Disc name={card.sync === 'Synced' ? 'check' : card.sync === 'OutOfSync' ? 'up' : 'dot'} tone={card.sync === 'Synced' ? 'good' : card.sync === 'OutOfSync' ? 'warn' : 'muted'} label={card.sync} />}
    </span>
  )
}

const marks: Record<Exclude<Mark, 'busy' | 'todo'>, [IconName, string]> = {
  done: ['check', 'good'],
  bad: ['cross', 'bad'],
  stopped: ['minus', 'muted'],
}

// MarkIcon tells what became of something; a `mute` one where words beside it do.
export function MarkIcon({mark, mute}: {mark: Mark; mute?: boolean}) {
  const label = mute ? undefined : text.marks[mark]
  switch (mark) {
    case 'busy':
      return <Icon name='ring' tone='busy' label={label} />
    case 'todo':
      return <span className='waybill-todo' role='img' aria-label={text.marks.todo} title={label} />
    default:
      return <Disc name={marks[mark][0]} tone={marks[mark][1]} label={label} />
  }
}

export const GateIcon = ({state}: {state: GateState}) =>
  state === 'pass' ? <Disc name='check' tone='good' label={text.verdict.pass} /> : state === 'wait' ? <Disc name='clock' tone='warn' label={text.verdict.wait} /> : <Disc name='cross' tone='bad' label={text.verdict.fail} />

// Name is how freight is called, on one line.
export const Name = ({of}: {of: Called}) => (
  <>
    {of.alias}
    {of.summary && <span className='waybill-quiet'> {of.summary}</span>}
  </>
)

// Section is a titled part of a panel; `of` names what it is about.
export function Section({title, of, children, aside}: {title: string; of?: Called; children: ReactNode; aside?: ReactNode}) {
  return (
    <section className='waybill-section'>
      <header>
        <h3>
          {title}
          {of && (
            <span>
              <Name of={of} />
            </span>
          )}
        </h3>
        {aside}
      </header>
      {children}
    </section>
  )
}

export function Field({name, children}: {name: string; children: ReactNode}) {
  return (
    <div className='waybill-field'>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}

import React, {memo, useMemo, useState} from 'react'
import type {Preview} from '../api/wire'
import {text} from '../strings'
import {foundIn, previewView, searchPreview, type ApplicationPreview, type ResourceView} from '../model/preview'
import type {Diff} from '../model/diff'
import {matches} from '../model/search'
import {short} from '../model/names'
import {Button, Notice, Search} from './parts'
import {Icon} from './icon'

// PreviewDiff shows what a promotion would change, resource by resource.
export function PreviewDiff({preview}: {preview: Preview}) {
  const [query, setQuery] = useState('')
  const [open, setOpen] = useState<Record<string, boolean>>({})
  const whole = useMemo(() => previewView(preview), [preview])
  const view = useMemo(() => searchPreview(whole, query), [whole, query])
  const keys = view.applications.flatMap(a => a.resources.filter(r => r.diff).map(r => r.key))
  const allOpen = keys.length > 0 && keys.every(k => open[k])
  return (
    <div className='waybill-preview'>
      {whole.empty ? (
        <p className='waybill-quiet'>{text.preview.none}</p>
      ) : (
        <div className='waybill-preview-bar'>
          <span>
            <strong>{whole.summary}</strong>
            {query.trim() !== '' && <span className='waybill-quiet'> · {text.preview.matches(foundIn(view))}</span>}
          </span>
          <Search value={query} onChange={setQuery} label={text.preview.search} />
          {keys.length > 0 && (
            <Button kind='quiet' onClick={() => setOpen(allOpen ? {} : Object.assign({}, ...keys.map(k => ({[k]: true}))))}>
              {allOpen ? text.preview.collapseAll : text.preview.expandAll}
            </Button>
          )}
        </div>
      )}
      {view.applications.map(a => (
        <Application key={a.key} app={a} alone={view.applications.length === 1} query={query} open={open} onToggle={key => setOpen(o => ({...o, [key]: !o[key]}))} />
      ))}
      {whole.digest && (
        <p className='waybill-quiet'>
          {text.preview.digest}: <code title={whole.digest}>{short(whole.digest)}</code>
        </p>
      )}
    </div>
  )
}

function Application(p: {app: ApplicationPreview; alone: boolean; query: string; open: Record<string, boolean>; onToggle: (key: string) => void}) {
  const a = p.app
  return (
    <div className='waybill-preview-app'>
      <h4>
        {a.name} <span className='waybill-quiet'>{text.preview.total(a.total)}</span>
      </h4>
      {a.problem && <Notice tone='bad'>{a.problem}</Notice>}
      {a.withheld && (
        <Notice tone='warn' icon='lock' title={text.preview.withheld(a.total)}>
          {a.withheld} {text.preview.withheldBound}
        </Notice>
      )}
      {a.today && (
        <Notice tone='info' title={text.preview.today}>
          {a.today}
        </Notice>
      )}
      {a.warnings.map(w => (
        <Notice key={w} tone='warn'>
          {w}
        </Notice>
      ))}
      {a.images.map(i => (
        <div className='waybill-image' key={i.repository}>
          <Icon name='image' /> <span>{i.repository}</span>
          <code>{i.before.join(', ') || text.preview.new}</code>
          <Icon name='right' />
          <code>{i.after.join(', ') || text.preview.gone}</code>
        </div>
      ))}
      <ul className='waybill-resources'>
        {a.resources.map(r => (
          <Resource key={r.key} resource={r} notPruned={a.notPruned && r.change === 'pruned'} open={!!p.open[r.key] || (p.query.trim() !== '' && r.found > 0)} query={p.query} onToggle={p.onToggle} />
        ))}
      </ul>
      {a.clipped && <p className='waybill-quiet'>{text.preview.clipped}</p>}
    </div>
  )
}

const Resource = memo(function Resource(p: {resource: ResourceView; notPruned: boolean; open: boolean; query: string; onToggle: (key: string) => void}) {
  const r = p.resource
  const title = (
    <>
      <span className={`waybill-change waybill-change-${r.change}`}>{text.preview[r.change]}</span>
      <span className='waybill-kind'>{r.kind}</span> <strong>{r.name}</strong> <span className='waybill-quiet'>{r.place}</span>
    </>
  )
  return (
    <li>
      {r.diff ? (
        <button type='button' className='waybill-resource' aria-expanded={p.open} onClick={() => p.onToggle(r.key)}>
          <Icon name={p.open ? 'down' : 'right'} />
          {title}
          <span className='waybill-lines'>{text.preview.lines(r.diff.added, r.diff.deleted)}</span>
        </button>
      ) : (
        <div className='waybill-resource'>{title}</div>
      )}
      {r.warning && <Notice tone='warn'>{r.warning}</Notice>}
      {p.notPruned && <Notice tone='info'>{text.preview.notPruned}</Notice>}
      {p.open && r.diff && <Lines diff={r.diff} query={p.query} label={`${r.kind} ${r.name}`} />}
      {p.open && r.clipped && <p className='waybill-quiet'>{text.preview.clipped}</p>}
    </li>
  )
})

const signs = {add: '+', delete: '−', same: ' ', hunk: ''}

function Lines({diff, query, label}: {diff: Diff; query: string; label: string}) {
  return (
    <div className='waybill-diff' tabIndex={0} role='region' aria-label={label}>
      <div>
        {diff.lines.map((l, i) => (
          <div key={i} className={`waybill-line waybill-line-${l.kind}${query.trim() !== '' && l.kind !== 'hunk' && matches(l.text, query) ? ' waybill-line-found' : ''}`}>
            <span aria-hidden>{signs[l.kind]}</span>
            {l.kind === 'add' && <ins>{l.text}</ins>}
            {l.kind === 'delete' && <del>{l.text}</del>}
            {(l.kind === 'same' || l.kind === 'hunk') && l.text}
          </div>
        ))}
      </div>
    </div>
  )
}

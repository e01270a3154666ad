import React from 'react'
import type {Comparison} from '../api/wire'
import {text} from '../strings'
import {comparisonView, type ArtifactChange} from '../model/compare'
import {fullName, short} from '../model/names'
import {Age, Chip, Notice} from './parts'
import {Icon} from './icon'

// Compared shows what lies between the freight in a stage and other freight.
export function Compared({comparison}: {comparison: Comparison}) {
  const view = comparisonView(comparison)
  return (
    <div className='waybill-compare'>
      {view.same && <p className='waybill-quiet'>{text.compare.same}</p>}
      {view.backwards && <Notice tone='warn'>{text.compare.backwards}</Notice>}
      <ul className='waybill-artifacts'>
        {view.artifacts.map(a => (
          <Artifact key={a.key} artifact={a} />
        ))}
      </ul>
      {view.between.length > 0 && (
        <details>
          <summary>{text.compare.between(view.between.length, view.more)}</summary>
          <div className='waybill-chips'>
            {view.between.map(f => (
              <Chip key={f.id} title={fullName(f)}>
                {f.alias}
              </Chip>
            ))}
          </div>
        </details>
      )}
    </div>
  )
}

function Artifact({artifact: a}: {artifact: ArtifactChange}) {
  return (
    <li>
      <div className='waybill-image'>
        <Icon name={a.kind} label={text.freight[a.kind]} /> <span>{a.name}</span>
        {a.changed ? (
          <>
            <code>{a.from || text.compare.added}</code>
            <Icon name='right' />
            <code>{a.to || text.compare.removed}</code>
          </>
        ) : (
          <>
            <code>{a.to}</code>
            <span className='waybill-quiet'>{text.compare.unchanged}</span>
          </>
        )}
      </div>
      {a.problem && <Notice tone='info'>{a.problem}</Notice>}
      {a.commits.length > 0 && (
        <details open={a.commits.length <= 10}>
          <summary>{text.compare.commits(a.commits.length, a.more)}</summary>
          <ol className='waybill-commits'>
            {a.commits.map(c => (
              <li key={c.id}>
                <CommitID id={c.id} link={c.link} />
                <span>{c.subject}</span>
                <span className='waybill-quiet'>
                  {c.author}, <Age at={c.at} />
                </span>
              </li>
            ))}
          </ol>
        </details>
      )}
    </li>
  )
}

export function CommitID({id, link}: {id: string; link: string}) {
  return link ? (
    <a href={link} target='_blank' rel='noopener noreferrer' title={id}>
      <code>{short(id)}</code>
    </a>
  ) : (
    <code title={id}>{short(id)}</code>
  )
}

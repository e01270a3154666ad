import React, {useMemo} from 'react'
import {text} from '../strings'
import {matches} from '../model/search'
import {cardOf, sourcesOf} from '../model/stage'
import {CardChips, CardFreight} from './cards'
import {useDesk} from './desk'
import {useDrawing} from './drawing'
import {Empty, HealthMark, Loading} from './parts'
import {Rows} from './rows'
import {useSoaks} from './soaks'

// StageList is the graph as a list, in its order: for phones and for the keyboard.
export function StageList({query, narrow}: {query: string; narrow: boolean}) {
  const {pipeline, own, place, go} = useDesk()
  const drawing = useDrawing(pipeline)
  const soaks = useSoaks()
  const order = useMemo(() => {
    const nodes = drawing ? drawing.nodes.filter(n => n.kind === 'stage') : []
    return nodes.sort((a, b) => a.x - b.x || a.y - b.y).map(n => n.name)
  }, [drawing])
  const rows = useMemo(() => {
    const stages = new Map(pipeline.stages.map(s => [s.name, s]))
    return order
      .flatMap(name => stages.get(name) || [])
      .map(stage => ({card: cardOf(stage, stage.name === own.name, pipeline, soaks[stage.name]), from: sourcesOf(stage).map(s => s.words).join(', ')}))
      .filter(r => matches(r.card.words, query))
  }, [order, pipeline, own.name, query, JSON.stringify(soaks)])
  if (!drawing) {
    return <Loading />
  }
  if (rows.length === 0) {
    return <Empty title={text.graph.noMatch} icon='search' />
  }
  return (
    <Rows
      label={text.tabs.pipeline}
      columns={
        narrow
          ? [{title: text.promotion.stage, width: '1fr'}]
          : [
              {title: text.promotion.stage, width: 'minmax(150px, 1.2fr)'},
              {title: text.stage.current, width: 'minmax(180px, 1.5fr)'},
              {title: text.promotion.phase, width: 'minmax(160px, 1.4fr)'},
              {title: text.stage.source, width: 'minmax(120px, 1fr)'},
            ]
      }
      rows={rows}
      rowHeight={narrow ? 92 : 50}
      keyOf={r => r.card.name}
      selected={place.stage}
      onPick={r => go({stage: r.card.name, warehouse: '', freight: '', promotion: ''})}
      cells={({card, from}) =>
        narrow
          ? [
              <span className='waybill-narrow-card'>
                <span className='waybill-card-head'>
                  <strong>{card.name}</strong>
                  {card.own && <span className='waybill-own'>{text.stage.own}</span>}
                  <HealthMark card={card} />
                </span>
                <CardFreight card={card} />
                <CardChips card={card} />
              </span>,
            ]
          : [
              <span className='waybill-card-head'>
                <HealthMark card={card} /> <strong>{card.name}</strong> {card.own && <span className='waybill-own'>{text.stage.own}</span>}
              </span>,
              <CardFreight card={card} />,
              <CardChips card={card} />,
              <span className='waybill-quiet'>{from}</span>,
            ]
      }
    />
  )
}

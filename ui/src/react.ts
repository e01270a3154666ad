// Argo CD's own React, which the bundle takes in place of the module `react`. Only
// hooks that React 16.14 and React 19 both have are named here; the types are those
// of React 16.
import type * as Types from 'react'

const React = (window as unknown as {React: typeof Types}).React

export default React
export const {useCallback, useContext, useEffect, useLayoutEffect, useMemo, useReducer, useRef, useState, createContext, memo, Component, Fragment} = React

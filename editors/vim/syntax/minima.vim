" The colours of Minima. tests/editors.rs compares the words with those of the language.
if exists('b:current_syntax')
  finish
endif

syntax case match
" Letters of any script are letters.
syntax iskeyword @,48-57,_,192-255

" Reserved words.
syntax keyword minimaDefine fn let var
syntax keyword minimaRepeat for in while
syntax keyword minimaConditional if then else
syntax keyword minimaSolve minimize maximize solve bound
syntax keyword minimaClause over from using until with subject given
syntax keyword minimaStatement print plot save assert
syntax keyword minimaOperator and or not mod div
syntax keyword minimaBoolean true false

" Words that are keywords in their place only: at the start of a statement, before what belongs to them.
syntax match minimaContextual "^\s*\zs\%(import\|test\)\ze\s\+\""
syntax match minimaContextual "^\s*\zs\%(precision\|input\|objective\|optimizer\|set\|distribution\|primitive\|rule\|type\|param\|report\|state\|answer\|each\|stop\|players\)\ze\s\+[^[:space:]=+*/.,()\[\]<>-]"
syntax match minimaContextual "^\s*\zs\%(exact\|stable\)\s\+rule\ze\s"
syntax match minimaContextual "\%(^\|[{;]\)\s*\zsstep\ze\s*{"
syntax match minimaContextual "^\s*\zsotherwise\ze\s\+using\>"
syntax match minimaContextual "^\s*\zs\%(derivative\|prox\|is\)\ze\s\+\%(\K\|(\)"
syntax match minimaContextual "=\s*\zsnative\ze\s\+\""
syntax match minimaContextual "\%(\"\s\+\)\@<=as\ze\s"
syntax match minimaContextual "\<subject\s\+\zsto\>"
syntax match minimaContextual "^\s*save\>.\{-}\zs\<to\ze\s\+\""
syntax match minimaContextual "\S\s\+\zsby\ze\s\+\K"

syntax keyword minimaType real int bool string
syntax keyword minimaConstant pi inf
syntax match minimaFunction "\%(\<fn\s\+\)\@<=\K\k*"

syntax match minimaNumber "\<\d\%(_\?\d\)*\%(\.\d\%(_\?\d\)*\)\?\%([eE][+-]\?\d\%(_\?\d\)*\)\?"
syntax region minimaString start=+"+ skip=+\\.+ end=+"+ oneline contains=minimaEscape
syntax match minimaEscape +\\["\\n]+ contained

syntax match minimaSign "|>\|->\|=>\|\.\.\|[-+*/@^<>=~']\|!="
syntax keyword minimaTodo TODO FIXME XXX contained
syntax match minimaComment "//.*$" contains=minimaTodo,@Spell
syntax match minimaDoc "///\%([^/].*\)\?$" contains=minimaTodo,minimaDocCode,@Spell
syntax match minimaExpected "//>.*$"
syntax match minimaDocCode "`[^`]*`" contained

highlight default link minimaDefine Keyword
highlight default link minimaRepeat Repeat
highlight default link minimaConditional Conditional
highlight default link minimaSolve Statement
highlight default link minimaClause Statement
highlight default link minimaStatement Statement
highlight default link minimaContextual Keyword
highlight default link minimaOperator Operator
highlight default link minimaSign Operator
highlight default link minimaBoolean Boolean
highlight default link minimaType Type
highlight default link minimaConstant Constant
highlight default link minimaFunction Function
highlight default link minimaNumber Number
highlight default link minimaString String
highlight default link minimaEscape SpecialChar
highlight default link minimaComment Comment
highlight default link minimaDoc SpecialComment
highlight default link minimaDocCode Identifier
highlight default link minimaExpected PreProc
highlight default link minimaTodo Todo

let b:current_syntax = 'minima'

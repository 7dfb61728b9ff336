-- pandoc lua translate.lua < [[tex, display], ...] > [typst, ...]
-- Only pandoc's writer is called: no reader, no file, no address.
local formulas = pandoc.json.decode(io.read("a"), false)
local translated = pandoc.List{}
for index, formula in ipairs(formulas) do
  local kind = formula[2] and "DisplayMath" or "InlineMath"
  local document = pandoc.Pandoc{pandoc.Plain{pandoc.Math(kind, formula[1])}}
  local done, typst = pcall(pandoc.write, document, "typst", pandoc.WriterOptions{wrap_text = "wrap-none"})
  translated[index] = done and typst or ""
end
io.write(pandoc.json.encode(translated))

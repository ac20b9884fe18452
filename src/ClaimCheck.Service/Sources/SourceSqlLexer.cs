using System.Runtime.InteropServices;

namespace ClaimCheck.Service.Sources;

internal enum SqlTokenKind
{
    Word,
    QuotedName,
    Text,
    Number,
    Parameter,
    Symbol,
}

/// <summary>A token of a query. Comments and white space are not tokens.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct SqlToken(SqlTokenKind Kind, int Start, int Length)
{
    public int End => Start + Length;
}

/// <summary>Splits a query into tokens as Postgres does with <c>standard_conforming_strings</c> on, and distinguishes
/// <c>:name</c>, a parameter, from the colons of casts, assignments, array slices, strings, quoted names, dollar quotes and
/// comments.</summary>
internal sealed class SourceSqlLexer(string sql)
{
    // Inside brackets, a colon behind an operand belongs to a slice; behind one of these words a value begins.
    private static readonly HashSet<string> BeforeValues = new(StringComparer.OrdinalIgnoreCase)
    {
        "all", "and", "any", "between", "by", "case", "distinct", "else", "escape", "from", "having", "ilike", "in", "is",
        "like", "limit", "not", "offset", "on", "or", "select", "similar", "some", "symmetric", "then", "to", "when", "where",
    };

    private readonly List<SqlToken> tokens = [];
    private readonly Stack<char> open = new();
    private int position;

    /// <exception cref="FormatException">Something is never closed, or closed without being opened.</exception>
    public static IReadOnlyList<SqlToken> Read(string sql)
    {
        var lexer = new SourceSqlLexer(sql);
        lexer.ReadAll();
        return lexer.tokens;
    }

    private char Current => At(position);

    private void ReadAll()
    {
        while (position < sql.Length)
        {
            if (Current == '\0')
                throw new FormatException("it has a NUL character");
            if (!SkipSpace() && !SkipLineComment() && !SkipBlockComment())
                ReadToken();
        }

        if (open.TryPeek(out var left))
            throw new FormatException($"a '{left}' is never closed");
    }

    private void ReadToken()
    {
        var start = position;
        var kind = Current switch
        {
            '\'' => ReadText(escapes: false),
            '"' => ReadQuotedName(),
            '$' when DollarTag() is { } tag => ReadDollarQuoted(tag),
            ':' => ReadColon(),
            '(' or ')' or '[' or ']' => ReadBracket(),
            var c when IsNameStart(c) => ReadWord(),
            var c when char.IsAsciiDigit(c) => ReadNumber(),
            _ => Symbol(1),
        };
        tokens.Add(new SqlToken(kind, start, position - start));
    }

    private SqlTokenKind ReadWord()
    {
        var start = position;
        while (IsNamePart(Current))
            position++;
        var isEscape = position - start == 1 && sql[start] is 'e' or 'E';
        if (isEscape && Current == '\'')
            return ReadText(escapes: true);
        return SqlTokenKind.Word;
    }

    private SqlTokenKind ReadNumber()
    {
        while (IsParameterPart(Current) || Current == '.')
            position++;
        return SqlTokenKind.Number;
    }

    private SqlTokenKind ReadText(bool escapes)
    {
        do
        {
            position++;
            while (true)
            {
                if (position >= sql.Length)
                    throw new FormatException("a string is never closed");
                if (escapes && Current == '\\')
                    position += 2;
                else if (Current != '\'')
                    position++;
                else if (At(position + 1) == '\'')
                    position += 2;
                else
                    break;
            }

            position++;
        }
        while (escapes && SkipToContinuation());
        return SqlTokenKind.Text;
    }

    // 'a' <new line> 'b' is one string, and where it began as E'…' the second half has escapes too.
    private bool SkipToContinuation()
    {
        var before = position;
        while (SkipSpace() || SkipLineComment())
        {
        }

        if (Current == '\'' && sql.AsSpan(before, position - before).ContainsAny('\n', '\r'))
            return true;
        position = before;
        return false;
    }

    private SqlTokenKind ReadQuotedName()
    {
        position++;
        while (true)
        {
            if (position >= sql.Length)
                throw new FormatException("a quoted name is never closed");
            if (Current != '"')
                position++;
            else if (At(position + 1) == '"')
                position += 2;
            else
                break;
        }

        position++;
        return SqlTokenKind.QuotedName;
    }

    private string? DollarTag()
    {
        var end = position + 1;
        if (IsNameStart(At(end)))
            while (IsNamePart(At(end)) && At(end) != '$')
                end++;
        return At(end) == '$' ? sql[position..(end + 1)] : null;
    }

    private SqlTokenKind ReadDollarQuoted(string tag)
    {
        var end = sql.IndexOf(tag, position + tag.Length, StringComparison.Ordinal);
        if (end < 0)
            throw new FormatException($"a string quoted with {tag} is never closed");
        position = end + tag.Length;
        return SqlTokenKind.Text;
    }

    private SqlTokenKind ReadColon()
    {
        if (At(position + 1) is ':' or '=')
            return Symbol(2);
        if (!IsParameterPart(At(position + 1)) || char.IsAsciiDigit(At(position + 1)) || IsSlice())
            return Symbol(1);
        position++;
        while (IsParameterPart(Current))
            position++;
        return SqlTokenKind.Parameter;
    }

    private bool IsSlice()
    {
        if (!open.TryPeek(out var innermost) || innermost != '[')
            return false;
        var last = tokens[^1];
        return last.Kind switch
        {
            SqlTokenKind.Symbol => sql[last.Start] is ')' or ']',
            SqlTokenKind.Word => !BeforeValues.Contains(sql.Substring(last.Start, last.Length)),
            _ => true,
        };
    }

    private SqlTokenKind ReadBracket()
    {
        var c = Current;
        if (c is '(' or '[')
            open.Push(c);
        else if (!open.TryPop(out var opened) || opened != (c == ')' ? '(' : '['))
            throw new FormatException($"a '{c}' closes nothing");
        return Symbol(1);
    }

    private SqlTokenKind Symbol(int length)
    {
        position += length;
        return SqlTokenKind.Symbol;
    }

    private bool SkipSpace()
    {
        var before = position;
        while (Current is ' ' or '\t' or '\n' or '\r' or '\f' or '\v')
            position++;
        return position > before;
    }

    private bool SkipLineComment()
    {
        if (Current != '-' || At(position + 1) != '-')
            return false;
        while (position < sql.Length && Current is not ('\n' or '\r'))
            position++;
        return true;
    }

    private bool SkipBlockComment()
    {
        if (Current != '/' || At(position + 1) != '*')
            return false;
        var depth = 0;
        do
        {
            if (position >= sql.Length)
                throw new FormatException("a comment is never closed");
            var step = (Current, At(position + 1)) switch { ('/', '*') => 1, ('*', '/') => -1, _ => 0 };
            depth += step;
            position += step == 0 ? 1 : 2;
        }
        while (depth > 0);
        return true;
    }

    private char At(int index) => index < sql.Length ? sql[index] : '\0';

    private static bool IsNameStart(char c) => char.IsAsciiLetter(c) || c == '_' || c >= '\u0080';

    private static bool IsNamePart(char c) => IsNameStart(c) || char.IsAsciiDigit(c) || c == '$';

    private static bool IsParameterPart(char c) => char.IsAsciiLetterOrDigit(c) || c == '_';
}

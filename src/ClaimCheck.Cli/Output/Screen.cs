using System.Globalization;
using System.Text.RegularExpressions;

namespace ClaimCheck.Cli.Output;

/// <summary>The output: results on standard output, everything else on standard error.</summary>
/// <param name="json">Results are JSON, without progress.</param>
internal sealed partial class Screen(bool json)
{
    private static readonly JsonSerializerOptions Compact = new(ClaimCheckJson.Options);

    private readonly TextWriter errors = Console.Error;
    private readonly TextWriter results = Console.Out;

    public bool IsJson => json;

    /// <summary>A line of the result, for people.</summary>
    public void Line(string text)
    {
        if (!json)
            results.WriteLine(Clean(text));
    }

    /// <summary>A message beside the result. Not for scripts, which only get messages that they must not miss.</summary>
    public void Hint(string text)
    {
        if (!json)
            Note(text);
    }

    /// <summary>A message beside the result, in any case.</summary>
    public void Note(string text) => errors.WriteLine(Clean(text));

    /// <summary>The result, or one of them, for scripts.</summary>
    public void Document(JsonNode node)
    {
        if (json)
            results.WriteLine(Escaped(node.ToJsonString(Compact)));
    }

    public void Fail(Failure failure)
    {
        Note($"claimcheck: {failure.Text}");
        foreach (var detail in failure.Details)
            Note($"  {detail}");
        Document(failure.ToJson());
    }

    /// <summary>Columns as wide as their longest value.</summary>
    public void Table(IReadOnlyList<string> header, IReadOnlyList<IReadOnlyList<string>> values)
    {
        if (json)
            return;
        var rows = values.Select(row => row.Select(Clean).ToList()).ToList();
        var widths = header.Select((name, column) => rows.Select(row => row[column].Length).Append(name.Length).Max()).ToList();
        foreach (var row in rows.Prepend(header))
            Line(string.Join("  ", row.Select((value, column) => value.PadRight(widths[column]))).TrimEnd());
    }

    /// <summary>Names and values below each other; those without a value are left out.</summary>
    public void Facts(params IReadOnlyList<(string Name, string? Value)> facts)
    {
        foreach (var (name, value) in facts)
        {
            if (value is not null)
                Line($"{name,-14}{value}");
        }
    }

    /// <summary>
    /// One line that a terminal displays but does not execute: titles and reasons come from others. Line breaks and tabs, which
    /// libraries put into their messages, become spaces; control sequences, and marks that change the text direction, are
    /// replaced.
    /// </summary>
    public static string Clean(string text)
    {
        if (!text.Any(IsUnsafe))
            return text;
        text = Breaks().Replace(Sequences().Replace(text, "\uFFFD"), " ");
        return string.Concat(text.Select(c => IsUnsafe(c) ? '\uFFFD' : c)).Trim();
    }

    // JSON has an escape for each of them.
    private static string Escaped(string text) =>
        text.Any(IsUnsafe)
            ? string.Concat(
                text.Select(c => IsUnsafe(c) ? string.Create(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}") : c.ToString()))
            : text;

    // Control characters of both kinds, line and paragraph separators, and marks that change the text direction.
    private static bool IsUnsafe(char c) => char.IsControl(c) || c is '\u2028' or '\u2029' or '\u061C' or '\u200E' or '\u200F'
        or (>= '\u202A' and <= '\u202E') or (>= '\u2066' and <= '\u2069');

    [GeneratedRegex(@"\s*[\r\n\t\v\f\u0085\u2028\u2029]\s*", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Breaks();

    // What follows an ESC belongs to it: CSI with its parameters, OSC and similar sequences up to their end.
    [GeneratedRegex(
        @"(\e\[|\u009B)[0-?]*[ -/]*[@-~]"
        + @"|(\e[\]PX^_]|[\u009D\u0090\u0098\u009E\u009F])[^\a\e\u009C]*(\a|\e\\|\u009C)?|\e[ -/]*[0-~]",
        RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Sequences();
}

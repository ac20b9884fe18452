using System.Text.Json;
using System.Text.Json.Nodes;
using ClaimCheck.Contracts;

namespace ClaimCheck.Cli.Output;

/// <summary>Where things are said: results on standard output, everything else on standard error.</summary>
/// <param name="json">Results are JSON, and there is no progress.</param>
internal sealed class Screen(bool json)
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

    /// <summary>A line beside the result. For scripts only what they must not miss is written, so not this.</summary>
    public void Hint(string text)
    {
        if (!json)
            Note(text);
    }

    /// <summary>A line beside the result, in any case.</summary>
    public void Note(string text) => errors.WriteLine(Clean(text));

    /// <summary>The result, or one of them, for scripts.</summary>
    public void Document(JsonNode node)
    {
        if (json)
            results.WriteLine(node.ToJsonString(Compact));
    }

    public void Fail(Failure failure)
    {
        Note($"claimcheck: {failure.Text}");
        foreach (var detail in failure.Details)
            Note($"  {detail}");
        Document(failure.ToJson());
    }

    /// <summary>Columns as wide as their longest value.</summary>
    public void Table(IReadOnlyList<string> header, IReadOnlyList<IReadOnlyList<string>> rows)
    {
        if (json)
            return;
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

    // Titles and reasons come from others; a terminal must not obey them.
    private static string Clean(string text) =>
        text.Any(char.IsControl) ? string.Concat(text.Select(c => char.IsControl(c) ? '\uFFFD' : c)) : text;
}

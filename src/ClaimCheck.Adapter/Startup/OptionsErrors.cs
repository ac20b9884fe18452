namespace ClaimCheck.Adapter.Startup;

/// <summary>Collects configuration errors: the value, the rule, and the consequence.</summary>
internal sealed class OptionsErrors
{
    private readonly List<string> lines = [];

    public void Add(string line) => lines.Add(line);

    public void Add(IEnumerable<string> more) => lines.AddRange(more);

    public void Range(string name, TimeSpan value, TimeSpan least, TimeSpan most, string consequence)
    {
        if (value < least || value > most)
            Add($"{name} is {value}, but must be {least} to {most}: {consequence}.");
    }

    public void OneOf(string name, string? value, params string[] choices)
    {
        if (value is not null && !choices.Contains(value, StringComparer.Ordinal))
            Add($"{name} is '{value}', but must be one of {string.Join(", ", choices)}: other values have no meaning.");
    }

    /// <exception cref="CanNotStartException">There are some.</exception>
    public void ThrowIfAny()
    {
        if (lines.Count > 0)
            throw new CanNotStartException(lines);
    }
}

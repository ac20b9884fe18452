namespace ClaimCheck.Adapter.Settings;

/// <summary>Collects configuration errors: the value, the rule, and the consequence.</summary>
internal sealed class SettingsErrors
{
    private readonly List<string> lines = [];

    public void Add(string line) => lines.Add(line);

    public void Add(IEnumerable<string> more) => lines.AddRange(more);

    public void Range(string name, TimeSpan value, TimeSpan least, TimeSpan most, string consequence)
    {
        if (value < least || value > most)
            Add($"{name} is {value}, but must be {least} to {most}: {consequence}.");
    }

    /// <exception cref="SettingsException">There are some.</exception>
    public void ThrowIfAny()
    {
        if (lines.Count > 0)
            throw new SettingsException(lines);
    }
}

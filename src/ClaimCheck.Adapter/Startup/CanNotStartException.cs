namespace ClaimCheck.Adapter.Startup;

/// <summary>The adapter can't start. Each line states what is wrong, and the consequence.</summary>
internal sealed class CanNotStartException(IReadOnlyList<string> lines, Exception? inner = null)
    : Exception(string.Join('\n', lines), inner)
{
    public CanNotStartException(string line, Exception? inner = null)
        : this([line], inner)
    {
    }

    public IReadOnlyList<string> Lines { get; } = lines;
}

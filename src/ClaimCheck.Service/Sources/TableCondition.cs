namespace ClaimCheck.Service.Sources;

/// <summary>The <c>where</c> of a dataset that is a table.</summary>
internal static class TableCondition
{
    /// <summary>Why this is not one condition, or null.</summary>
    public static string? Fault(string condition)
    {
        try
        {
            var tokens = SourceSqlLexer.Read(condition);
            return tokens.Count == 0 ? "is empty"
                : tokens.Any(token => token.Kind == SqlTokenKind.Symbol && condition[token.Start] == ';')
                    ? "has a semicolon, but must be one condition"
                : null;
        }
        catch (FormatException e)
        {
            return $"can't be read: {e.Message}";
        }
    }
}

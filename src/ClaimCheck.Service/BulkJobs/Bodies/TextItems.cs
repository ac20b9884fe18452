namespace ClaimCheck.Service.BulkJobs.Bodies;

/// <summary>Items whose values are all text: rows of CSV, and records of a batch.</summary>
/// <param name="operation">The operation that the items are for.</param>
/// <param name="places">For each column the index of its parameter, or -1.</param>
internal sealed class TextItems(Operation operation, IReadOnlyList<int> places)
{
    private readonly int keyPlace = operation.KeyPlace;
    private readonly PostgresType[] types = operation.Types;

    /// <summary>Assigns columns to parameters.</summary>
    /// <returns>Null, and what is wrong, where the columns don't fit.</returns>
    public static (IReadOnlyList<int>? Places, string? Fault) Match(
        Operation operation, IReadOnlyList<string> columns, bool mayHaveOthers)
    {
        var names = operation.Parameters.Select(parameter => parameter.Name).ToList();
        var places = columns.Select(column => names.IndexOf(column)).ToList();
        if (!mayHaveOthers && places.Contains(-1))
            return (null, $"A column is not known: the operation has {string.Join(", ", names)}.");
        if (places.Where(place => place >= 0).GroupBy(place => place).FirstOrDefault(group => group.Count() > 1) is { } twice)
            return (null, $"The column {names[twice.Key]} is there twice.");
        var missing = operation.Parameters.FirstOrDefault(
            parameter => parameter.Required && !columns.Contains(parameter.Name, StringComparer.Ordinal));
        return missing is null ? (places, null) : (null, $"The column {missing.Name} is missing.");
    }

    /// <summary>Reads one item; null is NULL.</summary>
    public JobItem Read(long index, IReadOnlyList<string?> fields)
    {
        var values = new string?[operation.Parameters.Count];
        if (fields.Count != places.Count)
            return new(index, null, null, $"The row has {fields.Count} fields, but the header has {places.Count}.");
        string? fault = null;
        for (var column = 0; column < fields.Count; column++)
        {
            if (places[column] < 0)
                continue;
            var (name, type, isRequired) = operation.Parameters[places[column]];
            try
            {
                if (fields[column] is { } text)
                    Numbers.CheckDigits(
                        types[places[column]], values[places[column]] = PostgresText.OfText(types[places[column]], text));
                else if (isRequired)
                    fault ??= $"{name} is required ({type}).";
            }
            catch (FormatException e)
            {
                fault ??= $"{name} {e.Message}.";
            }
        }

        return JobItem.Of(index, values, keyPlace, fault);
    }
}

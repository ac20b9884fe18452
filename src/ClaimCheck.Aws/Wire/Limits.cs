namespace ClaimCheck.Aws.Wire;

/// <summary>What would be refused, or lost on its way, is not sent.</summary>
internal static class Limits
{
    public static void Check(OutgoingMessage message, string what)
    {
        ArgumentNullException.ThrowIfNull(message);
        if (message.Body.Length == 0)
            throw Refused("EmptyMessage", $"{what} was not sent: its text is empty.");
        if (message.Attributes.Count > OutgoingMessage.MaxAttributes)
        {
            throw Refused("TooManyAttributes",
                $"{what} was not sent: it has {message.Attributes.Count} attributes, but raw delivery loses messages with more than {OutgoingMessage.MaxAttributes}.");
        }
        if (message.Attributes.FirstOrDefault(attribute => attribute.Key.Length == 0 || string.IsNullOrEmpty(attribute.Value)) is { Key: { } name })
            throw Refused("EmptyAttribute", $"{what} was not sent: the attribute '{name}' is empty.");
    }

    public static void CheckSize(int bytes, int most, string what)
    {
        if (bytes > most)
            throw Refused("MessageTooLong", $"{what} was not sent: it has {bytes} bytes with its attributes, but {most} are the most.");
    }

    private static AwsMessagingException Refused(string code, string text) => new(AwsFailure.Invalid, code, text, isTransient: false);
}
